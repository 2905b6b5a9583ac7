"""Before training: the smallest difference between two models that the data can resolve."""
