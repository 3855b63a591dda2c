"""Pages that a person reads: the report and the session viewer."""
