"""Networks x folds."""
