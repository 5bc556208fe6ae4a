"""Tests of the documentation: its code blocks run, its references are whole, the site is made and works offline."""
