"""Questions across runs: benchmark, compare, recipe and tune."""
