"""Statistics of several classes."""
