"""Faults done on purpose: processes killed, bytes changed, disks full, clocks wrong, servers gone, requests at random.

`python -m tests.faults` tries them at length; the tests in this folder are short versions of the same.
"""
