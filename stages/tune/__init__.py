"""Search for better settings: Bayesian optimisation and population-based training on Ray Tune."""
