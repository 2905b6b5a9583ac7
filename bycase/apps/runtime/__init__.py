"""Networks of any format as one kind of function."""
