"""The vocabulary of faces: FACS action units and named expressions."""
