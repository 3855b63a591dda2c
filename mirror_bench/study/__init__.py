"""The human study: forms for people who rate sessions, what they send back, and how far they agree."""
