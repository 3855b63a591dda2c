"""Static tasks: questions about one moment of a session, asked through lm-eval (`tasks/lm_eval/`)."""
