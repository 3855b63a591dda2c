"""Conversations held elsewhere, made into runs."""
