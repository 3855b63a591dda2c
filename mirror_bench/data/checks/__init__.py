"""What a data set is put through: filters, splits, contamination, near-duplicates, description."""
