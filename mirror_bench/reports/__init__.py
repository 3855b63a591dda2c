"""Summaries, plots and pages of a run."""
