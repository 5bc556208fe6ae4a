"""The Flask site: every page renders one typed context, and every page has a JSON twin (`?format=json`)."""

from pathfolio.web.site.app import create_app

__all__ = ["create_app"]
