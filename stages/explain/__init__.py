"""Where in an image the network sees its class, and whether the maps that say so can be trusted."""
