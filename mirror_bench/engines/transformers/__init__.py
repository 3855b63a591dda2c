"""Models run by transformers itself."""
