"""What words do: therapist behaviour, client talk, danger and harm, the moves of a session."""
