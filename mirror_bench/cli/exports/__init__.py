"""Commands that write a run in the form of another tool."""
