"""Training: phases, loop, losses, optimisers, checkpoints and cost."""
