"""Paired comparison of networks on the same patients."""
