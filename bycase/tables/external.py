"""`data/external/`: the images of the external test set, their manifest, and what was left out."""

from pathlib import Path

FOLDER = Path("data/external")
IMAGES = FOLDER / "restructured"
TABLE = FOLDER / "manifest.csv"  # see `bycase.tables.manifest`; labels are the classifier's classes
ABOUT = FOLDER / "about.json"  # ``dataset`` is null where there is no external test set
PREDICTIONS = Path("data/external_predictions.csv")  # see `bycase.tables.predictions`; and ``unlike``, 1 where flagged
