"""Who may see what: accounts, roles, and the guard before every page."""
