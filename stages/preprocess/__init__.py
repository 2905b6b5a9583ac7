"""Stain normalisation, contrast enhancement and noise reduction, fitted on training images only."""
