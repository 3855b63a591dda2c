"""Real video: frames of a client's face at each turn of a transcript, for replays."""
