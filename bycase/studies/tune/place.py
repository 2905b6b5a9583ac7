"""Where tuning keeps its files."""

from pathlib import Path

TUNING = Path("data/tuning")
CHECKED = TUNING / "checked.txt"
FOLDS = TUNING / "folds.csv"
FEATURES = TUNING / "features"
SEARCHES = TUNING / "searches"
WORK = TUNING / "work"  # of unfinished searches; no output of any stage, so that DVC does not delete it
BEST = TUNING / "best.yaml"


def features_folder(strength: float) -> Path:
    """Where the features of views augmented with `strength` are."""
    return FEATURES / f"{strength:g}"
