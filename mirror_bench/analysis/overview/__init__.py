"""What a reader wants first: who leads, who cannot be told apart, whether the face helped, what to read."""
