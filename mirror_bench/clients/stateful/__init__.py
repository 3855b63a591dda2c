"""The offline client: it perceives, moves its state, decides what to do and chooses its words."""
