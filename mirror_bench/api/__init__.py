"""The public face behind `import mirror_bench`: what commands do, as functions that return records."""
