"""Has a model become worse? The gate, the history of runs, and how large a run must be to tell."""
