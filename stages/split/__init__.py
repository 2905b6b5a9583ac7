"""Train, validation and test parts that no group straddles."""
