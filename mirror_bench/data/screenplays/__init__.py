"""Screenplays as text."""
