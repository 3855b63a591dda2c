"""What may go wrong for reasons a person can mend, and what may go wrong in a session."""


class InputError(Exception):
    """Bad input or environment: one line that names the file, line or option and the remedy (exit code 2)."""


class EngineError(Exception):
    """An engine could not answer one request; the session that asked may be tried again."""


class EngineDeadError(InputError):
    """An engine stopped for good; no further request to it can succeed."""
