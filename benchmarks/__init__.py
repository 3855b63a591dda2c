"""What the project measures of itself, outside of the tests."""
