"""Data sets: sources, layouts, phantoms, duplicates, groups and splits."""
