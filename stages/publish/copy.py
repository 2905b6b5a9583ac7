"""What of a run is kept."""

import shutil
from pathlib import Path

from stages.common.errors import UserError
from stages.common.files import replace_folder

RESULTS = Path("results")

# Everything that says how a run was made and what came out, but no image, feature or weight.
KEPT = (
    "params.yaml",
    "dvc.lock",
    "data/splits.json",
    "models/model.json",
    "models/history.csv",
    "metrics/metrics.json",
    "metrics/cost.json",
    "metrics/restructure.json",
    "metrics/audit.json",
    "metrics/leakage.json",
    "metrics/power.json",
)
FIGURES = ("plots/*.png", "plots/*.txt")


def publish(name: str, project: Path, results: Path = RESULTS) -> Path:
    """Copy a finished run's parameters, lock, metrics and figures.

    Parameters
    ----------
    name : str
        The run's name; letters, digits, ``.``, ``_`` and ``-``.
    project : Path
        Where the run is.
    results : Path
        The folder of published runs; ``results/<name>`` is replaced as a whole.

    Raises
    ------
    UserError
        If the name is not one, or an output of the pipeline is missing.
    """
    if not name or set(name.lower()) - set("abcdefghijklmnopqrstuvwxyz0123456789._-") or name.startswith("."):
        raise UserError(f"'{name}' is no name for a run: letters, digits, '.', '_' and '-' only")
    for kept in KEPT:
        if not (project / kept).is_file():
            raise UserError(f"{kept} not found: run 'dvc repro' first")
    with replace_folder(results / name) as folder:
        for kept in KEPT:
            shutil.copyfile(project / kept, folder / Path(kept).name)
        for pattern in FIGURES:
            for figure in sorted(project.glob(pattern)):
                shutil.copyfile(figure, folder / figure.name)
    return results / name
