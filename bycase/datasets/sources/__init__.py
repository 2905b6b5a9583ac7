"""Where a data set comes from: Kaggle, this machine, an archive."""
