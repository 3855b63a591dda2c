"""Conversations held elsewhere, read from the files of products, studies and other benchmarks."""
