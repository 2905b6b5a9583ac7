"""Statistics of predictions by image and by patient."""
