"""What a search found, and how far it can be believed."""
