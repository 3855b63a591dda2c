"""Judges put on one scale, and through an examination, by sessions that are held for it."""
