"""`python -m bycase.studies.benchmark.stages.embed MODEL REPEAT`: frozen features that all folds of a repeat share."""

import logging
import sys
from pathlib import Path

from bycase.core.command import run_stage
from bycase.core.files import replace_folder
from bycase.core.fingerprint import fingerprint
from bycase.core.nested import pick
from bycase.core.params import Params, load_params
from bycase.networks.weights import weights_digest
from bycase.studies.benchmark.cell import WORK, features_place, has_own_pixels, relocate, training_seed
from bycase.studies.benchmark.workspace import SHARED, Workspace, move_folder
from bycase.tables.out_of_fold import BENCHMARK


def embed_model(params: Params, model: str, repeat: int) -> Path:
    """Compute the frozen features that all folds of a repeat share.

    Parameters
    ----------
    params : Params
        The project's.
    model : str
        Which network.
    repeat : int
        Decides the seed of weights and views.

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
    keys = ["seed", "augment", "embed", f"datasets.{params.dataset}", f"zoo.{model}"]
    weights = weights_digest(Params.model_validate(settings).weights)
    code = ["bycase.studies.benchmark.stages.embed"]
    workspace.open(fingerprint(code, pick(settings, keys), weights, files=links.values()), links)
    workspace.write_params(relocate(settings, workspace.folder))
    workspace.run("stages.embed")
    move_folder(workspace.folder / "data/features", target)
    workspace.remove()
    return target


def main() -> None:
    """Write ``data/benchmark/features/MODEL/rREPEAT``."""
    model, repeat = sys.argv[1:]
    embed_model(load_params(), model, int(repeat))


if __name__ == "__main__":
    run_stage("benchmark embed", main)
