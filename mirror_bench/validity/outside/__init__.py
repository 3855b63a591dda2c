"""Danger and harm in words of others: what is found, and with each set left out in turn."""
