"""The data card: what the data set is, what is in it, what is missing, and how it was split."""
