"""`python -m bycase.studies.benchmark.stages.embed MODEL REPEAT`: frozen features that all folds of a repeat share."""

import logging
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bycase.core.command import run_stage
from bycase.core.files import replace_folder, write_json
from bycase.core.fingerprint import fingerprint
from bycase.core.nested import pick
from bycase.core.params import Params, load_params
from bycase.core.params_training import BACKBONE, family_of
from bycase.networks.engine import engine_identity
from bycase.networks.weights import weights_digest
from bycase.studies.benchmark.cell import WORK, features_place, has_own_pixels, relocate, training_seed
from bycase.studies.benchmark.workspace import SHARED, Workspace, move_folder
from bycase.tables.out_of_fold import BENCHMARK
from bycase.tables.results import read_results

IDENTITY = "identity.txt"  # beside the features, what they depend on
MADE_BY = "made_by.json"


def embed_model(params: Params, model: str, repeat: int) -> Path:
    """Compute the frozen features that all folds of a repeat share.

    Parameters
    ----------
    params : Params
        The project's.
    model : str
        An entry of ``zoo``.
    repeat : int
        From 0; decides the seed of weights and views.

    Returns
    -------
    Path
        The folder of features; empty of images where each cell has its own (see `has_own_pixels`).
    """
    place = features_place(model, repeat)
    target = BENCHMARK / place
    if has_own_pixels(params):
        with replace_folder(target):
            logging.info("stains are fitted on each fold's training images: each cell computes its own features")
        return target
    settings = params.model_dump(mode="json") | {"model": model, "seed": training_seed(params.seed, repeat)}
    workspace = Workspace(WORK / place, f"{model}, repeat {repeat}")
    links = {name: Path(name) for name in (*SHARED, "data/preprocessed")}
    identity = _identity(settings, model, links)
    same = find_same_backbone(target, identity)
    if same:
        logging.info("%s: the features of %s, which has the same backbone", workspace.words, same.parent.name)
        with replace_folder(target) as folder:
            shutil.copytree(same, folder, dirs_exist_ok=True)
            write_json(folder / MADE_BY, read_results(folder / MADE_BY, "embed") | {"model": model})
        return target
    workspace.open(identity, links)
    workspace.write_params(relocate(settings, workspace.folder))
    workspace.run("stages.embed")
    (workspace.folder / "data/features" / IDENTITY).write_text(identity, encoding="utf-8")
    move_folder(workspace.folder / "data/features", target)
    workspace.remove()
    return target


def _identity(settings: dict[str, Any], model: str, links: Mapping[str, Path]) -> str:
    """Digest all that features depend on: what is above the backbone, such as the head, does not count."""
    keys = ["seed", "augment", "embed", f"datasets.{settings['dataset']}"]
    backbone = {key: settings["zoo"][model][key] for key in BACKBONE}
    weights = weights_digest(Params.model_validate(settings).weights)
    code = ["bycase.studies.benchmark.stages.embed", "stages.embed"]
    engine = engine_identity(settings["engine"])
    return fingerprint(code, pick(settings, keys), family_of(model), backbone, weights, engine, files=links.values())


def find_same_backbone(target: Path, identity: str) -> Path | None:
    """The finished features of another entry of ``zoo`` beside `target`, ``features/MODEL/rREPEAT``, if any."""
    marks = sorted(target.parents[1].glob(f"*/{target.name}/{IDENTITY}"))
    same = (mark.parent for mark in marks if mark.parent != target and mark.read_text(encoding="utf-8") == identity)
    return next(same, None)


def main() -> None:
    """Write ``data/benchmark/features/MODEL/rREPEAT``."""
    model, repeat = sys.argv[1:]
    embed_model(load_params(), model, int(repeat))


if __name__ == "__main__":
    run_stage("benchmark embed", main)
