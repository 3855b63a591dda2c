"""What is handed in to the leaderboard: a run packed into one file, and the check that it is what it says."""
