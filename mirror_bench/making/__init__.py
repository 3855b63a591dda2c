"""Makes what the paper's authors made: faces by diffusion, screenplays by a writer, replays of real video."""
