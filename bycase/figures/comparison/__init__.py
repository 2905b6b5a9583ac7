"""Figures of several networks."""
