"""How good the probabilities of several methods are."""
