"""Scores of the same images under several conditions."""
