"""Scripted therapists: no model, but phrases chosen by rules, so that their skill is known beforehand."""
