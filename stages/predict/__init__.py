"""What the classifier says of new images."""
