"""What `import pathfolio` gives: the same market, build, lists, explanations and figures as the command line."""
