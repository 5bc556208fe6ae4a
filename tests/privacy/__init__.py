"""Attacks on what is shown: who holds what must not be guessed better than by what everybody holds."""
