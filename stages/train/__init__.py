"""A head on cached features, then fine-tuning of the backbone's top where asked for."""
