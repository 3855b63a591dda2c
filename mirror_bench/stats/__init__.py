"""Intervals and tests; knows nothing of counseling."""
