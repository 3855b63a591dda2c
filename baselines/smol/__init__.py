"""The reference: a published language model, given eyes and taught to speak as a therapist."""
