"""What differences a data set can resolve."""
