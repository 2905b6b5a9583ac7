import numpy as np
import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.explain.artifacts import mean_curves, tabulate_curves, tabulate_similarities
from bycase.explain.deletion import area
from bycase.explain.examples import check_untouched, choose_scored, choose_shown, in_random_order, predict_classes
from bycase.explain.sanity import STEP_WORDS
from bycase.explain.scores import Scores, correlation_interval, summarise

ORDERS = ["grad_cam", "grad_cam_plus_plus", "random", "centre"]
PATIENT = np.array([0, 0, 1, 2, 3, 4, 5, 5])


def make_scores(similarity: float = 0.1, noise: float = 0.05) -> Scores:
    """Grad-CAM deletes best; the other method as well as a random order."""
    random = np.random.default_rng(0)
    curves = np.clip(0.6 + noise * random.normal(size=(4, 8, 2, 5)), 0, 1)
    curves[0, :, 0] -= 0.3
    steps = len(STEP_WORDS)
    similarities = {name: np.full((8, steps, 2), similarity) for name in ORDERS[:2]}
    for of in similarities.values():
        of += noise * random.normal(size=of.shape)
    others = {name: random.uniform(0, 0.2, 8) for name in ORDERS[:2]}
    maps = {name: np.zeros((steps, 1, 12, 12), np.float32) for name in ORDERS[:2]}
    empty = {name: np.array([1.0, 0, 0, 0, 0, 0, 0, 1]) for name in ORDERS[:2]}
    return Scores(ORDERS, curves, similarities, others, empty, maps)


def test_means_differences_and_intervals() -> None:
    scores = make_scores()
    content = summarise(scores, PATIENT)
    areas = area(scores.curves)
    for k, order in enumerate(ORDERS):
        of = content["scores"][order]
        assert of["deletion"] == pytest.approx(areas[k, :, 0].mean())
        assert of["insertion"] == pytest.approx(areas[k, :, 1].mean())
        assert of["ci"]["deletion"]["low"] < of["deletion"] < of["ci"]["deletion"]["high"]
    assert list(content["difference"]) == [
        "grad_cam_minus_random",
        "grad_cam_minus_centre",
        "grad_cam_plus_plus_minus_random",
        "grad_cam_plus_plus_minus_centre",
        "grad_cam_plus_plus_minus_grad_cam",
    ]
    gain = content["difference"]["grad_cam_minus_random"]
    assert gain["deletion"] == pytest.approx((areas[0] - areas[2])[:, 0].mean())
    assert gain["ci"]["deletion"]["high"] < 0
    even = content["difference"]["grad_cam_plus_plus_minus_random"]["ci"]["deletion"]
    assert even["low"] < 0 < even["high"]
    assert content["difference"]["grad_cam_plus_plus_minus_grad_cam"]["deletion"] > 0.2
    sane = content["sanity"]["grad_cam"]
    assert sane["rank_correlation"] == pytest.approx(scores.similarities["grad_cam"][:, -1, 0].mean())
    assert sane["ssim"] == pytest.approx(scores.similarities["grad_cam"][:, -1, 1].mean())
    assert sane["other_images"] == pytest.approx(scores.others["grad_cam"].mean())
    assert sane["empty"] == 0.25
    assert sane["passed"] == 1
    assert (content["n"], content["n_patients"]) == (8, 6)


@pytest.mark.parametrize(("similarity", "passed"), [(0.9, 0), (0.49, 0), (0.2, 1)])
def test_a_map_that_stays_fails(similarity: float, passed: int) -> None:
    content = summarise(make_scores(similarity), PATIENT)
    assert content["sanity"]["grad_cam_plus_plus"]["passed"] == passed


def test_without_spread_intervals_are_not_certain() -> None:
    content = summarise(make_scores(noise=0), PATIENT)
    for section in ("scores", "difference"):
        for of in content[section].values():
            assert of["ci"]["deletion"]["high"] - of["ci"]["deletion"]["low"] > 0.1


def test_images_of_one_patient_say_the_same_once() -> None:
    values, patient = np.array([0.2, 0.4, 0.1, 0.5]), np.arange(4)
    once = correlation_interval(values, patient)
    assert correlation_interval(np.repeat(values, 5), np.repeat(patient, 5)) == pytest.approx(once)
    assert -1 < once["low"] < 0.3 < once["high"] < 1


def predictions(classes: list[str], scores: list[list[float]], labels: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame(scores, columns=classes)
    return frame.assign(image=[f"{n}.png" for n in range(len(frame))], group="g", label=labels)


def test_calls_follow_the_threshold_or_the_largest() -> None:
    two = predictions(["b", "m"], [[0.8, 0.2], [0.7, 0.3], [0.1, 0.9]], ["b", "m", "m"])
    predicted = predict_classes(two, np.arange(3), ["b", "m"], 0.3)
    assert predicted["predicted"].tolist() == [0, 1, 1]
    assert predicted["explained"].tolist() == ["b", "m", "m"]
    assert predicted["probability"].tolist() == [0.8, 0.3, 0.9]
    assert predicted["truth"].tolist() == [0, 1, 1]
    three = predictions(list("abc"), [[0.2, 0.5, 0.3]], ["c"])
    assert predict_classes(three, np.zeros(1, int), list("abc"), None)["predicted"].tolist() == [1]
    curves = np.tile(np.array([0.8, 0.3, 0.9])[:, None, None], (4, 1, 2, 5))
    check_untouched(curves, predicted)
    with pytest.raises(UserError, match="dvc repro -f evaluate"):
        check_untouched(curves + 0.002, predicted)


def test_images_are_drawn_from_as_many_patients_as_possible_and_not_by_what_they_are() -> None:
    patient = np.repeat(np.arange(4), 5)
    order = in_random_order(patient, 7, "a")
    assert sorted(order) == list(range(20))
    for turn in range(5):
        assert sorted(patient[order[4 * turn : 4 * turn + 4]]) == [0, 1, 2, 3]
    assert order.tolist() != in_random_order(patient, 8, "a").tolist()
    scored = choose_scored(patient, 6, 7)
    assert len(scored) == 6 == len(set(scored))
    assert (np.bincount(patient[scored]) >= 1).all()
    assert choose_scored(patient, 100, 7).tolist() == list(range(20))


def test_rows_are_outcomes_or_classes() -> None:
    truth = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    predicted = np.array([0, 0, 1, 0, 1, 1, 1, 1])
    test = pd.DataFrame({"truth": truth, "predicted": predicted, "patient": np.arange(8)})
    rows = choose_shown(test, ["b", "m"], "m", 3, 7)
    assert list(rows) == [
        "true positive: 3 of 4 images",
        "false negative: 0 of 0 images",
        "false positive: 1 of 1 images",
        "true negative: 3 of 3 images",
    ]
    kinds = [(truth[of].tolist(), predicted[of].tolist()) for of in rows.values()]
    assert kinds == [([1] * 3, [1] * 3), ([], []), ([0], [1]), ([0] * 3, [0] * 3)]
    classes = choose_shown(test, ["b", "m"], None, 3, 7)
    assert list(classes) == ["true b: 3 of 4 images right", "true m: 4 of 4 images right"]
    assert [(truth[of] == predicted[of]).tolist() for of in classes.values()] == [[True, True, False], [True] * 3]


def test_tables_name_what_they_hold() -> None:
    scores = make_scores()
    columns = {"image": [f"{n}.png" for n in range(8)], "group": "g", "label": "b", "explained": "m"}
    part = pd.DataFrame(columns)
    table = tabulate_curves(part, ORDERS, scores.curves)
    row = table[(table["image"] == "3.png") & (table["order"] == "random") & (table["share"] == 0.75)]
    assert len(table) == 4 * 8 * 5
    assert row["deletion"].item() == scores.curves[2, 3, 0, 3]
    assert row["insertion"].item() == scores.curves[2, 3, 1, 3]
    similar = tabulate_similarities(part, scores.similarities)
    row = similar[(similar["image"] == "5.png") & (similar["method"] == ORDERS[1]) & (similar["step"] == 2)]
    assert row["layers"].item() == "top 20 %"
    assert row["rank_correlation"].item() == scores.similarities[ORDERS[1]][5, 2, 0]
    assert row["ssim"].item() == scores.similarities[ORDERS[1]][5, 2, 1]
    means = mean_curves(ORDERS, scores.curves)
    assert means["insertion_centre"].to_numpy() == pytest.approx(scores.curves[3, :, 1].mean(axis=0))
