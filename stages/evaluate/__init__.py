"""Predictions of the trained network on validation and test, and how good they are."""
