"""One search: its runs on Ray Tune, resumed where an earlier process was, and its tables."""

import shutil
import warnings
from pathlib import Path
from typing import Any

from bycase.core.fingerprint import fingerprint
from bycase.core.params import Params
from bycase.networks.weights import weights_digest
from bycase.studies.tune.context import SearchData, read_search_data, read_strength
from bycase.studies.tune.embed import strengths
from bycase.studies.tune.journal import Journal
from bycase.studies.tune.params import Run, TuningParams, plan_runs
from bycase.studies.tune.place import FEATURES
from bycase.studies.tune.record import write_search
from bycase.studies.tune.session import cores_each, count_nodes, ray_session
from bycase.studies.tune.trial import PIXELS, Task
from bycase.tables.manifest import PREPROCESSED
from bycase.training.batches import decode_once
from bycase.training.checkpoint import training_settings
from bycase.training.phases import END_TO_END

RESTARTS = 5  # of a trial whose node or process died
GRACE = 9  # ASHA: a trial is safe for a ninth of its epochs
REDUCTION = 3


def run_search(params: Params, tuning: TuningParams, outer: str, target: Path, work: Path) -> None:
    """Search for the best settings on one outer fold's rest, or on the whole pool.

    Parameters
    ----------
    outer : str
        'final', '0', ... of ``data/tuning/folds.csv``.
    target : Path
        The folder that is written, whole, at the end.
    work : Path
        What an interrupted search goes on from; removed at the end. On a cluster it lies on shared storage.

    Raises
    ------
    UserError
        If what it needs is not there.
    """
    data = read_search_data(params, outer)
    for strength in strengths(params, tuning.space):
        features = read_strength(params, strength)
        assert features is not None
        features.rows(data.folds["image"])
    folder = work.absolute()
    journal = Journal(folder, made_from(params, tuning, data))
    for name in ("states", "best"):
        (folder / name).mkdir(exist_ok=True)
    if reads_images(params, tuning) and not (folder / "pixels").is_file():
        decode_once(data.pool["image"].tolist(), params.data.image_size, folder / PIXELS)
        (folder / "pixels").touch()
    nodes = 1
    ended = {event["run"] for event in journal.of("run")}
    for run in plan_runs(tuning):
        if run.algorithm in ended:
            continue
        waits = run.algorithm == "pbt"
        kept = tuning.population.interval + 2 if waits else 2
        task = Task(Path.cwd(), params, outer, tuning.seed, run.epochs, folder, kept, waits)
        with ray_session(tuning):
            nodes = max(nodes, count_nodes())
            _tune(run, task, tuning, journal)
        journal.add("run", run=run.algorithm)
    # A search without any score is begun anew too.
    try:
        write_search(target, params, tuning, data, journal, folder, nodes)
    finally:
        shutil.rmtree(folder)


def reads_images(params: Params, tuning: TuningParams) -> bool:
    """Whether any setting of the space trains on images, not on cached features alone."""
    depths = tuning.space.unfreeze.values() if tuning.space.unfreeze else []
    return params.network.mode == END_TO_END or bool(params.network.unfreeze.layers) or any(depths)


def made_from(params: Params, tuning: TuningParams, data: SearchData) -> str:
    """Digest all that a search depends on; what is left of another one is not gone on from."""
    return fingerprint(
        ["bycase.studies.tune.search"],
        tuning.model_dump(exclude={"workers": True, "ray": True, "outer": True, "budget": {"minutes"}}),
        training_settings(params),
        weights_digest(params.weights),
        data.pool[["image", "label", "sha256", "group"]].to_csv(index=False),
        data.folds.to_csv(index=False),
        files=(FEATURES, PREPROCESSED),
    )


def _tune(run: Run, task: Task, tuning: TuningParams, journal: Journal) -> None:
    """Run Ray Tune, from the start or from where an interrupted process was."""
    import ray
    from ray import tune
    from ray.tune import CheckpointConfig

    from bycase.studies.tune.population import Population, begin_population, members
    from bycase.studies.tune.propose import Proposals
    from bycase.studies.tune.trainable import SearchTrial
    from bycase.studies.tune.watch import TrialCallback

    options: dict[str, Any]
    if run.algorithm == "pbt":
        settings = begin_population(run, task.params, tuning.space, tuning.seed, journal)
        left = members(run, settings, journal)
        options = {
            "config": {"member": tune.grid_search(left)},
            "scheduler": Population(tuning.population, tuning.space, tuning.seed, journal),
        }
        n_left = len(left)
    else:
        proposals = Proposals(run, task.params, tuning.space, tuning.seed, journal)
        n_left = proposals.left
        options = {"search_alg": proposals, "num_samples": n_left, "max_concurrent_trials": tuning.workers}
        if tuning.early_stopping == "asha" and run.algorithm != "default":
            options["scheduler"] = _asha(run)
    # Interruptions do not count.
    limited = tuning.budget.minutes is not None and run.algorithm != "default"
    seconds_left = 60 * (tuning.budget.minutes or 0) - journal.seconds() if limited else None
    if not n_left or (seconds_left is not None and seconds_left <= 0):
        return
    gpus = ray.cluster_resources().get("GPU", 0)
    resources = {"cpu": cores_each(tuning.workers), **({"gpu": min(1, gpus / tuning.workers)} if gpus else {})}
    own_folder = task.folder / "ray"
    shutil.rmtree(own_folder, ignore_errors=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tune.run(
            tune.with_parameters(SearchTrial, task=task),
            name=run.algorithm,
            storage_path=str(own_folder),
            resources_per_trial=resources,
            checkpoint_config=CheckpointConfig(num_to_keep=task.kept + 1, checkpoint_frequency=1),
            max_failures=RESTARTS,
            reuse_actors=True,
            raise_on_failed_trial=False,
            callbacks=[TrialCallback(run, journal)],
            time_budget_s=seconds_left,
            verbose=0,
            trial_dirname_creator=lambda trial: f"{trial.config['member']['trial']:05d}",
            **options,
        )


def _asha(run: Run) -> Any:
    """Stop trials that are behind two thirds of those that came as far.

    Li et al. (2020), A system for massively parallel hyperparameter tuning, MLSys.
    """
    from ray.tune.schedulers import ASHAScheduler

    return ASHAScheduler(
        time_attr="epoch",
        metric="best_score",
        mode="max",
        max_t=run.epochs,
        grace_period=max(1, run.epochs // GRACE),
        reduction_factor=REDUCTION,
    )
