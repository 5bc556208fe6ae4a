"""Tests of the two towers."""
