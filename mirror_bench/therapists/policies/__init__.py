"""Comparison therapists without a model, of known skill."""
