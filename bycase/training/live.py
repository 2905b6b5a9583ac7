"""Training curves as they come, by DVCLive: `dvc plots show`, `dvc exp show` and the VS Code extension read them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LIVE = Path("metrics/train")


@contextmanager
def live_log(history: list[dict[str, Any]], folder: Path = LIVE) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Give a function that logs a row of the history.

    The rows of an interrupted training, `history`, are logged first: DVC empties the folder before a stage.
    """
    from dvclive import Live

    # Without dvcyaml=False, DVCLive would rewrite dvc.yaml in the middle of the pipeline.
    with Live(str(folder), dvcyaml=False, save_dvc_exp=False, report=None) as live:

        def log(row: dict[str, Any]) -> None:
            for key in ("loss", "accuracy"):
                live.log_metric(f"train/{key}", row[key])
                live.log_metric(f"val/{key}", row[f"val_{key}"])
            live.log_metric("val/auc", row["val_auc"])
            live.next_step()

        for row in list(history):
            log(row)
        yield log
