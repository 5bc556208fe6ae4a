"""Algorithms on a snapshot: what is central, what belongs together, what is alike, and how two things are tied."""
