"""Training recipes and the trainer of the reference therapist."""
