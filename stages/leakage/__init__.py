"""How much a score gains from images of one patient on both sides of a split, and from what."""
