"""Tests of the signal lab."""
