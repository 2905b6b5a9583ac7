"""Several networks on the same test images."""
