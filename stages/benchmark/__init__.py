"""Networks x folds: every network trained and tested on the same folds, and what came out in one table."""
