"""Training, validation and test: which groups go where, and what a split leaks."""
