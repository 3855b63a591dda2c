"""The public board: a static site made of submissions, with a page per model, comparisons and sessions."""
