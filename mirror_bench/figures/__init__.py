"""Figures of scores: a module a kind of figure."""
