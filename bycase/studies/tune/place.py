"""Where tuning keeps its files, and the words in them."""

from pathlib import Path

TUNING = Path("data/tuning")
CHECKED = TUNING / "checked.txt"
FOLDS = TUNING / "folds.csv"
FEATURES = TUNING / "features"
SEARCHES = TUNING / "searches"
WORK = TUNING / "work"  # of unfinished searches; no output of any stage, so that DVC does not delete it
BEST = TUNING / "best.yaml"

LOST = "the cluster's nodes are lost, or Ray ended; what is done is kept: run again to go on from it"

FINAL = "final"  # the search on the whole pool; the others have the number of an outer fold
DEFAULT = "default"  # the algorithm of a trial that only shows what params.yaml's settings reach
FAILED = ("diverged", "crashed", "lost")
STATUSES = ("finished", "stopped", *FAILED)  # of a trial
EPOCH_COLUMNS = ("trial", "epoch", "spent", "score", "loss", "val_loss", "donor")
# All others of trials.csv are hyper-parameters.
TRIAL_COLUMNS = "trial algorithm status message started_epoch_total epochs score best_epoch restarts".split()  # noqa: SIM905


def features_folder(strength: float) -> Path:
    """Where the features of views augmented with `strength` are."""
    return FEATURES / f"{strength:g}"
