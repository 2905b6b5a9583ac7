"""From the published folders to one folder a class, and the manifest."""
