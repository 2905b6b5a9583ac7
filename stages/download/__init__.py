"""Brings a data set into `data/raw/<dataset>/`: from Kaggle, from this machine, or generated."""
