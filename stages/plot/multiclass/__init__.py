"""Figures, tables and words of more than two classes."""
