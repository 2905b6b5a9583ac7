"""How far predicted probabilities come true."""
