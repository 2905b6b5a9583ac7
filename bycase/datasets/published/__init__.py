"""Splits that others have published, as facts."""
