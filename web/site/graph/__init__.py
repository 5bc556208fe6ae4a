"""The graph console: a store for analysts behind a page."""
