"""Images: decoding, resizing, reading pixels, stain, contrast, augmentation and damage."""
