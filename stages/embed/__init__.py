"""The frozen backbone's features of every image and view."""
