"""Inspect: our sessions as a task of its own (`inspect eval mirror_bench/sessions`), our runs as its logs."""
