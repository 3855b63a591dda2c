"""Screenplays by a writer: profile, resistance plan, session, filters, split."""
