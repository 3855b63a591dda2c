"""Stage directions read as expressions."""
