"""Generated data in the layouts of real data sets."""
