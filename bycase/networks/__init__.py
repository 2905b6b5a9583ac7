"""Networks: the zoo, its input contract, weights, forward passes and heads."""
