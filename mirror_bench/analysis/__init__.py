"""Scores of a run out of its ratings, and what is asked of them: comparison, gate, history, reliance."""
