"""Delivery: the command line, the JSON API and the site."""
