"""The networks: backbones by name, each with its own preprocessing inside."""
