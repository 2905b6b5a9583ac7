"""The classifier in one file: the network with all that its predictions need."""

from pathlib import Path

CLASSIFIER = Path("models/classifier.keras")
BATCH_SIZE = 16
