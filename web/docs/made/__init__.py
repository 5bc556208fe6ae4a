"""References that are made from the code: each file has a function that returns Markdown."""
