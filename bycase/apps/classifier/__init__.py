"""The classifier in one file: the network with all that its answers need."""
