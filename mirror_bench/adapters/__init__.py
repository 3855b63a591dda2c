"""Mirror-bench inside the tools that people work in already."""
