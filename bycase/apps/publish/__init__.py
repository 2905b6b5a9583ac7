"""What of a run is kept below `results/`."""
