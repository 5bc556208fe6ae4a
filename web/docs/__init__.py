"""The documentation: pages in Markdown, and the references that are made from the code. It is not installed.

`sphinx-build -W web/docs docs-site` makes the site, without a network.
"""
