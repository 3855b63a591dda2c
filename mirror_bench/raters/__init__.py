"""Who fills in an instrument: behaviour codes, the coded rater and the LLM rater."""
