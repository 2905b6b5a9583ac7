"""Honest comparison of networks that classify images of cancer."""
