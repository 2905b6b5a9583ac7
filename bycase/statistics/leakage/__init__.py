"""What images of one patient on both sides of a split are worth."""
