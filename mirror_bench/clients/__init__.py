"""The simulated, resisting client."""
