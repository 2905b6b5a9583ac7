"""Runs worth keeping: copied to `results/<name>/`, and the table that the README shows of them."""
