"""A data set written to files: tables, training sets, a folder like MIRROR-Mini."""
