"""What raters of a run come to together: whose ratings make a score, and how far they agree."""
