"""Sessions on the train split as an environment of verifiers."""
