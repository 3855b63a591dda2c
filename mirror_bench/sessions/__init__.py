"""One session, many sessions, and the folder that keeps them."""
