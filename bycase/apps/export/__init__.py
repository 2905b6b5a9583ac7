"""The network in formats of other programs."""
