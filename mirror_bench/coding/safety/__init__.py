"""Danger that clients disclose and harm that therapists do: rules, and heads trained on a bank of our own."""
