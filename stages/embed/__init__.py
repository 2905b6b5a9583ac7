"""The frozen backbone's features of every image, and the augmentations that views are made with."""
