"""A trial without Ray: what an exploit takes over, what a later process takes up, and every way of training."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bycase.core.params import Params
from bycase.core.seeding import make_deterministic
from bycase.networks.registry import NETWORKS
from bycase.studies.tune.context import read_search_data
from bycase.studies.tune.trial import Task, Trial
from bycase.training.batches import decode_once
from bycase.training.loop import DivergenceError
from tests.fixtures.zoo import PLAIN

BASE = {"learning_rate": 0.01, "head": "none"}


def make_task(params: Params, epochs: int = 6, outer: str = "0") -> Task:
    Path("work").mkdir(exist_ok=True)
    here = Path.cwd()
    return Task(here, params, outer, 7, epochs, here / "work", 3, False)


def make_trial(params: Params, epochs: int = 6) -> Trial:
    make_deterministic(params.seed)
    return Trial(make_task(params, epochs))


def train(trial: Trial, epochs: int) -> list[dict[str, float]]:
    return [trial.train() for _ in range(epochs)]


def state_of(trial: Trial) -> list[np.ndarray]:
    return [array for network in trial._networks for array in network.state()]


def test_an_exploit_goes_on_from_the_donors_loss_with_its_optimiser(tuned: Any) -> None:
    params, _ = tuned()
    trial = make_trial(params)
    trial.begin(BASE)
    first = train(trial, 4)
    donor = state_of(trial)
    trial.save(Path("work/donor.npz"), {"trial": 3})

    trial.begin(BASE | {"learning_rate": 0.0001})
    train(trial, 1)
    told = trial.load(Path("work/donor.npz"), BASE | {"learning_rate": 0.005})
    assert told["trial"] == 3
    for array, donated in zip(state_of(trial), donor, strict=True):
        np.testing.assert_array_equal(array, donated)
    (after,) = train(trial, 1)
    assert trial.epoch == 5
    assert after["loss"] < first[3]["loss"]


def test_without_the_optimisers_state_training_would_go_another_way(tuned: Any) -> None:
    params, _ = tuned()
    trial = make_trial(params)
    trial.begin(BASE)
    train(trial, 3)
    trial.save(Path("work/a.npz"), {"trial": 0})
    whole = train(trial, 2)
    trial.load(Path("work/a.npz"), BASE)
    assert train(trial, 2) == whole
    trial.load(Path("work/a.npz"), BASE)
    for network in trial._networks:
        for variable in network.phase.model.optimizer.variables[2:]:
            variable.assign(np.zeros(variable.shape))
    assert train(trial, 2) != whole


def test_a_donor_of_another_architecture_brings_its_own(tuned: Any) -> None:
    params, _ = tuned()
    trial = make_trial(params)
    trial.begin({"learning_rate": 0.02, "head": "4"})
    train(trial, 3)
    trial.save(Path("work/donor.npz"), {"trial": 1})
    following = train(trial, 1)
    trial.begin(BASE)
    train(trial, 1)
    trial.load(Path("work/donor.npz"), {"learning_rate": 0.02, "head": "none"})
    assert trial.setting == {"learning_rate": 0.02, "head": "4"}
    assert train(trial, 1) == following


def test_batch_size_decay_dropout_and_augmentation_change_without_losing_weights(tuned: Any) -> None:
    params, _ = tuned()
    trial = make_trial(params)
    setting: dict[str, Any] = {"batch_size": 8, "weight_decay": 0.01, "dropout": 0.2, "augmentation": 1.0}
    trial.begin(setting)
    train(trial, 3)
    donor = state_of(trial)
    trial.save(Path("work/donor.npz"), {"trial": 1})
    trial.load(Path("work/donor.npz"), {"batch_size": 4, "weight_decay": 0.1, "dropout": 0.6, "augmentation": 2.0})
    for array, donated in zip(state_of(trial), donor, strict=True):
        np.testing.assert_array_equal(array, donated)
    train(trial, 1)
    assert trial.params.network.batch_size == 4
    assert trial.params.augment.rotation == 0.5


def test_a_network_used_again_trains_as_a_new_one(tuned: Any) -> None:
    params, _ = tuned()
    wanted = {"learning_rate": 0.01, "weight_decay": 0.1, "dropout": 0.5, "batch_size": 8}
    new = make_trial(params)
    new.begin(wanted)
    expected = train(new, 3)
    used = make_trial(params)
    used.begin({"learning_rate": 0.1, "weight_decay": 0.0, "dropout": 0.0, "batch_size": 4})
    train(used, 2)
    used.begin(wanted)
    assert train(used, 3) == expected
    used.begin(wanted | {"weight_decay": 5.0})
    assert train(used, 3) != expected
    used.begin(wanted | {"dropout": 0.1})
    assert train(used, 3) != expected


def test_trains_as_the_train_stage_does(tuned: Any) -> None:
    """The traced variables of dropout and decay stand for the same constants."""
    from bycase.studies.tune.context import read_strength
    from bycase.training.checkpoint import Progress
    from bycase.training.distribute import make_strategy
    from bycase.training.loop import train_epoch
    from bycase.training.phases import plan_phases
    from bycase.training.prepare import gather, prepare_phase

    params, _ = tuned({"zoo.focal_cnn.head": [{"dense": 4}, {"dropout": 0.3}]})
    trial = make_trial(params)
    trial.begin({})
    rows = train(trial, 2)
    inner = read_search_data(params, "0").inner
    losses = []
    for fold, network in enumerate(trial._networks):
        import keras

        own = params.model_copy(update={"seed": network._seed})
        features = read_strength(params, 1.0)
        parts = inner[fold].train, inner[fold].val
        given = keras.Input((8,))
        backbone = keras.Model(given, keras.layers.Identity()(given))
        context = gather(own, parts, 2, make_strategy("single"), backbone, features, lambda: None)  # type: ignore[arg-type, return-value]
        phase = prepare_phase(plan_phases(own.network)[0], context)
        losses.append([train_epoch(phase, Progress(epoch=epoch))[0] for epoch in range(2)])
    np.testing.assert_allclose(np.mean(losses, axis=0), [row["loss"] for row in rows], rtol=1e-5)


def test_a_loss_without_end_is_a_divergence(tuned: Any) -> None:
    params, _ = tuned()
    trial = make_trial(params)
    trial.begin(BASE)
    for network in trial._networks:
        network._current.trained.set_weights([w * np.nan for w in network._current.trained.get_weights()])
    with pytest.raises(DivergenceError, match="training diverged"):
        trial.train()


def decode(params: Params) -> None:
    pool = read_search_data(params, "0").pool
    decode_once(pool["image"].tolist(), params.data.image_size, Path("work/pixels.npy"))


def test_fine_tuning_follows_the_head_from_its_best_weights(tuned: Any) -> None:
    params, _ = tuned({"zoo.focal_cnn.unfreeze.layers": 3})
    trial = make_trial(params, epochs=3)
    decode(params)
    trial.begin({})
    frozen = trial._networks[0]._current.network.layers[2].get_weights()
    rows = train(trial, 3)
    assert [plan.epochs for plan in trial._plans] == [2, 1]
    assert trial._networks[0].phase.plan.name == "fine_tune"
    assert all(np.isfinite(list(row.values())).all() for row in rows)
    for before, after in zip(frozen, trial._networks[0]._current.network.layers[2].get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    probabilities = trial.predict_outer()
    assert probabilities.shape == (len(trial._data.outer_images), 2)
    trial.save(Path("work/a.npz"), {"trial": 0})
    state = state_of(trial)
    trial.begin({})
    train(trial, 1)
    trial.load(Path("work/a.npz"), {})
    for array, kept in zip(state_of(trial), state, strict=True):
        np.testing.assert_array_equal(array, kept)
    np.testing.assert_array_equal(trial.predict_outer(), probabilities)


def test_end_to_end(tuned: Any) -> None:
    params, _ = tuned({"zoo.focal_cnn.mode": "end_to_end", "zoo.focal_cnn.standardise": False})
    trial = make_trial(params, epochs=3)
    decode(params)
    trial.begin({"augmentation": 0.5})
    train(trial, 1)
    trial.save(Path("work/a.npz"), {"trial": 0})
    (following,) = train(trial, 1)
    trial.begin({"augmentation": 0.5, "learning_rate": 0.1})
    trial.load(Path("work/a.npz"), {"augmentation": 0.5})
    (again,) = train(trial, 1)
    assert again == following
    np.testing.assert_allclose(trial.predict_outer().sum(axis=1), 1)


@pytest.mark.slow
@pytest.mark.parametrize("model", PLAIN)
def test_every_network_goes_on_from_a_state(tuned: Any, model: str) -> None:
    entry = {f"zoo.{model}.mode": "end_to_end", f"zoo.{model}.batch_size": 8}
    size = max(32, NETWORKS[model].smallest_size)
    params, _ = tuned({"model": model, "datasets.phantom.image_size": size, **entry})
    trial = make_trial(params, epochs=2)
    decode(params)
    trial.begin({"augmentation": 0.5})
    train(trial, 1)
    trial.save(Path("work/a.npz"), {"trial": 0})
    state = state_of(trial)
    train(trial, 1)
    trial.load(Path("work/a.npz"), {"augmentation": 0.5})
    for array, kept in zip(state_of(trial), state, strict=True):
        np.testing.assert_array_equal(array, kept)
    np.testing.assert_allclose(trial.predict_outer().sum(axis=1), 1, rtol=1e-6)
