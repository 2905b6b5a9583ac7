"""Hyper-parameter search with nested evaluation."""
