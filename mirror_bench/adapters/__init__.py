"""Ways into and out of other evaluation harnesses."""
