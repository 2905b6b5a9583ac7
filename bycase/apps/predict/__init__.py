"""Files to a table of predictions."""
