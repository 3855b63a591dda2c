"""Evidence that scores mean something: what was tested, on what, with which result, and what is not shown."""
