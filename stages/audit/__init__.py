"""Fingerprints of every image, and the duplicates that they show."""
