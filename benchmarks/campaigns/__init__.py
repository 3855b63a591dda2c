"""Campaigns: thousands of seeded cases of bad luck, each either survived or a finding of one line."""
