"""The checks that a submission must pass, a module a subject."""
