import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unicodedata import normalize

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    log_loss,
    matthews_corrcoef,
    recall_score,
    roc_auc_score,
)

from bycase.apps.judge.command import main
from bycase.apps.judge.table import UNKNOWN_PATIENTS
from bycase.core.errors import UserError
from bycase.figures.plots import Plots
from tests.conftest import REPOSITORY

Save = Callable[..., Path]
Make = Callable[..., pd.DataFrame]
FAST = ["--resamples", "100"]


@pytest.fixture
def drawn() -> None:
    """Asks for figures, which take most of the time."""


@pytest.fixture(autouse=True)
def _without_figures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "drawn" not in request.fixturenames:
        monkeypatch.setattr("bycase.apps.judge.write.draw", lambda *_: Plots())
        monkeypatch.setattr("bycase.apps.judge.write.draw_figures", lambda *_: {})


def judged(*words: str | Path) -> dict[str, Any]:
    main([*map(str, words), "--out", "out", *FAST])
    content: dict[str, Any] = json.loads(Path("out/metrics.json").read_text())
    return content


def test_metrics_are_scikit_learns(save: Save) -> None:
    random = np.random.default_rng(3)
    truth = np.arange(240) % 3 > 0
    features = random.normal(size=(240, 5)) + truth[:, None] * 0.5
    model = LogisticRegression().fit(features[:100], truth[:100])
    scores = model.predict_proba(features[100:])[:, 1]
    frame = pd.DataFrame({"id": np.arange(100, 240), "target": truth[100:].astype(int), "score": scores})
    found = judged(save(frame))["image"]
    y, predicted = truth[100:], scores >= 0.5
    expected = {
        "auc": roc_auc_score(y, scores),
        "average_precision": average_precision_score(y, scores),
        "accuracy": accuracy_score(y, predicted),
        "balanced_accuracy": balanced_accuracy_score(y, predicted),
        "sensitivity": recall_score(y, predicted),
        "specificity": recall_score(~y, ~predicted),
        "f1": f1_score(y, predicted),
        "mcc": matthews_corrcoef(y, predicted),
        "brier": brier_score_loss(y, scores),
        "log_loss": log_loss(y, scores),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert found["threshold"] == 0.5
    for name in expected:
        if name in found["ci"]:
            assert found["ci"][name]["low"] <= found[name] <= found["ci"][name]["high"]


def test_several_classes_are_scikit_learns(make_table: Make, save: Save) -> None:
    frame = make_table(("a", "b", "c"))
    found = judged(save(frame))
    test = frame[frame["part"] == "test"]
    scores = test[["prob_a", "prob_b", "prob_c"]].to_numpy()
    predicted = np.array(["a", "b", "c"])[scores.argmax(axis=1)]
    assert found["image"]["auc"] == pytest.approx(roc_auc_score(test["label"], scores, multi_class="ovr"))
    assert found["image"]["macro_f1"] == pytest.approx(f1_score(test["label"], predicted, average="macro"))
    assert found["image"]["log_loss"] == pytest.approx(log_loss(test["label"], scores))
    by_patient = test.groupby(["patient", "label"])[["prob_a", "prob_b", "prob_c"]].mean().reset_index()
    assert found["patient"]["auc"] == pytest.approx(
        roc_auc_score(by_patient["label"], by_patient[["prob_a", "prob_b", "prob_c"]], multi_class="ovr")
    )


def test_our_own_pipelines_predictions_give_its_numbers(network: Path) -> None:
    from stages.evaluate import main as evaluate

    evaluate()
    expected = json.loads(Path("metrics/metrics.json").read_text())
    manifest = pd.read_csv("data/manifest.csv", dtype=str)
    splits = pd.read_csv("data/splits.csv", dtype=str)
    training = splits[splits["part"] == "train"].merge(manifest[["image", "label"]], on="image")
    parts = [pd.read_csv(f"data/predictions/{part}.csv", dtype=str).assign(part=part) for part in ("val", "test")]
    frame = pd.concat([*parts, training[["image", "group", "label", "part"]]], ignore_index=True)
    frame = frame.merge(manifest[["image", "magnification", "subtype", "site", "sex"]], on="image")
    frame.to_csv("ours.csv", index=False)
    found = judged("ours.csv")
    assert found == expected
    # Nothing but the test part: the same ranks and losses, without what validation gives.
    alone = judged("data/predictions/test.csv")
    for level in ("image", "patient"):
        for name in ("auc", "average_precision", "brier", "log_loss"):
            assert alone[level][name] == expected[level][name]
            assert alone[level]["ci"][name] == expected[level]["ci"][name]
        assert "operating_points" not in alone[level]
    assert alone["calibration"]["image"]["before"] == expected["calibration"]["image"]["before"]
    assert "after" not in alone["calibration"]["image"]


@pytest.mark.parametrize(
    ("words", "pool"),
    [(["median"], lambda p: p.median()), (["top_k", "--top-k", "2"], lambda p: p.nlargest(2).mean())],
)
def test_patients_are_made_by_the_rule_asked_for(make_table: Make, save: Save, words: list[str], pool: Any) -> None:
    frame = make_table()
    mean, found = judged(save(frame)), judged(save(frame), "--aggregation", *words)
    test = frame[frame["part"] == "test"]
    patients = test.groupby(["patient", "label"])["prob_malignant"].apply(pool).reset_index()
    auc = roc_auc_score(patients["label"] == "malignant", patients["prob_malignant"])
    assert found["patient"]["auc"] == pytest.approx(auc)
    assert found["image"] == mean["image"]
    assert found["aggregation"]["compared"][words[0]]["auc"] == pytest.approx(auc)


def test_attention_needs_validation_patients_and_probabilities(make_table: Make, save: Save) -> None:
    frame = make_table()
    fitted = judged(save(frame), "--aggregation", "attention")
    assert fitted["aggregation"]["rule"] == fitted["aggregation"]["rules"]["attention"]
    alone = frame[frame["part"] == "test"].drop(columns="part")
    with pytest.raises(UserError, match="attention is fitted on validation patients"):
        judged(save(alone), "--aggregation", "attention")
    with pytest.raises(UserError, match="--aggregation median needs patients"):
        judged(save(alone.drop(columns="patient")), "--aggregation", "median")


def test_thresholds_come_from_validation_alone(make_table: Make, save: Save) -> None:
    frame = make_table()
    first = judged(save(frame))
    test = frame["part"] == "test"
    turned = frame.assign(
        label=frame["label"].mask(test, frame["label"].replace({"benign": "malignant", "malignant": "benign"}))
    )
    second = judged(save(turned))
    for level in ("image", "patient"):
        assert second[level]["threshold"] == first[level]["threshold"]
        points = (each[level]["operating_points"] for each in (first, second))
        assert len({json.dumps({name: p["threshold"] for name, p in each.items()}) for each in points}) == 1
    assert first["image"]["auc"] == pytest.approx(1 - second["image"]["auc"])
    assert set(first["subgroups"]) == {"site"}
    fixed = judged(save(frame), "--threshold", "0.3")
    assert fixed["image"]["threshold"] == fixed["patient"]["threshold"] == 0.3


def test_training_rows_are_not_judged(make_table: Make, save: Save) -> None:
    frame = make_table()
    train = frame["part"] == "train"
    certain = frame.assign(
        prob_benign=frame["prob_benign"].mask(train, (frame["label"] == "benign") * 1.0),
        prob_malignant=frame["prob_malignant"].mask(train, (frame["label"] == "malignant") * 1.0),
    )
    assert judged(save(frame)) == judged(save(certain))
    assert judged(save(frame))["image"]["n"] == 36


def test_unknown_patients_are_said_wherever_there_is_a_result(
    make_table: Make, save: Save, capsys: pytest.CaptureFixture[str], drawn: None
) -> None:
    frame = make_table().drop(columns="patient")
    found = judged(save(frame))
    assert found["note"] == UNKNOWN_PATIENTS
    assert "patient" not in found
    page = Path("out/report.html").read_text()
    assert UNKNOWN_PATIENTS in page.replace("P", "p")
    assert "intervals over patients" not in page
    assert UNKNOWN_PATIENTS in capsys.readouterr().out.replace("P", "p")
    assert UNKNOWN_PATIENTS in Path("out/plots/classification_report.txt").read_text()
    save(make_table(seed=1).drop(columns="patient"), "other.csv")
    main(["predictions.csv", "other.csv", "--out", "two", *FAST])
    board = json.loads(Path("two/leaderboard.json").read_text())
    assert all(row["note"] == UNKNOWN_PATIENTS and "patient" not in row for row in board.values())
    for name in ("leaderboard.md", "report.html", "comparisons.json", "predictions/report.html"):
        text = Path("two", name).read_text()
        assert UNKNOWN_PATIENTS in text.replace("P", "p"), name
        assert "intervals over patients" not in text, name


def test_predicted_classes_alone(make_table: Make, save: Save, drawn: None) -> None:
    frame = make_table()
    both = frame[["prob_benign", "prob_malignant"]]
    classes = frame[["image", "patient", "label", "part"]].assign(
        prediction=both.idxmax(axis="columns").str.removeprefix("prob_")
    )
    found = judged(save(classes, "classes.csv"))
    test = classes[classes["part"] == "test"]
    assert found["image"]["accuracy"] == pytest.approx(accuracy_score(test["label"], test["prediction"]))
    assert not {"auc", "brier", "threshold"} & set(found["image"])
    assert "calibration" not in found
    assert sorted(path.name for path in Path("out/plots").glob("*.png")) == ["confusion.png"]
    votes = (test["prediction"] == "malignant").groupby(test["patient"]).mean() >= 0.5
    truth = (test["label"] == "malignant").groupby(test["patient"]).first()
    assert found["patient"]["accuracy"] == pytest.approx(accuracy_score(truth, votes))
    save(frame.drop(columns="site"), "scores.csv")
    main(["classes.csv", "scores.csv", "--out", "two", *FAST])
    assert json.loads(Path("two/comparisons.json").read_text())["settings"]["metric"] == "accuracy"
    assert "AUC" not in Path("two/leaderboard.md").read_text()
    with pytest.raises(UserError, match="needs probabilities"):
        main(["classes.csv", "scores.csv", "--metric", "auc", *FAST])


def test_the_programs_own_class_decides_where_nothing_was_chosen_on_validation(make_table: Make, save: Save) -> None:
    frame = make_table()
    frame = frame[frame["part"] == "test"].drop(columns="part")
    strict = frame.assign(predicted=np.where(frame["prob_malignant"] > 0.8, "malignant", "benign"))
    found = judged(save(strict))
    assert found["image"]["accuracy"] == pytest.approx(accuracy_score(strict["label"], strict["predicted"]))
    assert found["image"]["auc"] == pytest.approx(
        roc_auc_score(strict["label"] == "malignant", strict["prob_malignant"])
    )
    assert "threshold" not in found["image"]
    save(frame, "plain.csv")
    main(["predictions.csv", "plain.csv", "--out", "two", *FAST])
    board = json.loads(Path("two/leaderboard.json").read_text())
    assert board["predictions"]["image"]["accuracy"] == pytest.approx(found["image"]["accuracy"])
    assert board["plain"]["image"]["accuracy"] != board["predictions"]["image"]["accuracy"]


def test_several_files_are_compared_as_networks_are(make_table: Make, save: Save, drawn: None) -> None:
    paths = [save(make_table(seed=1, skill=skill), f"{name}.csv") for name, skill in (("good", 2.0), ("poor", 0.1))]
    main([*map(str, paths), "--out", "out", *FAST])
    board = json.loads(Path("out/leaderboard.json").read_text())
    assert [row["rank"] for row in board.values()] == [1, 2]
    for name, row in board.items():
        own = json.loads(Path("out", name, "metrics.json").read_text())
        for level in ("image", "patient"):
            for metric in ("auc", "accuracy", "brier", "sensitivity"):
                assert row[level][metric] == pytest.approx(own[level][metric])
    assert len(json.loads(Path("out/comparisons.json").read_text())["pairs"]) == 1
    assert {path.name for path in Path("out/plots").iterdir()} == {
        "critical_difference.png",
        "roc.png",
        "calibration.png",
    }


def test_a_stated_prevalence_moves_predictive_values_and_net_benefit(
    make_table: Make, save: Save, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(save(make_table()))
    found = {}
    for stated in ([], ["--prevalence", "0.05"]):
        main([path, "--out", "out", *stated, *FAST])
        found[len(stated)] = json.loads(Path("out/metrics.json").read_text())
    own, rare = found[0], found[2]
    assert own["image"] == rare["image"]
    assert rare["decisions"]["prevalence"] == 0.05
    assert rare["decisions"]["predictive_values"]["image"]["ppv"] < own["image"]["precision"]
    benefit = (content["decisions"]["net_benefit"]["threshold_10"]["net_benefit"] for content in (own, rare))
    assert next(benefit) > next(benefit)
    assert "prevalence of 5 %" in Path("out/report.html").read_text()
    with pytest.raises(SystemExit):
        main([path, "--prevalence", "2", *FAST])
    assert "--prevalence: must be between 0 and 1" in capsys.readouterr().err


def test_files_that_differ(make_table: Make, save: Save) -> None:
    one, other = make_table(), make_table(seed=1)
    save(one, "one.csv")
    save(other[other["patient"] != "p02"], "other.csv")
    with pytest.raises(UserError, match=r"33 of 36 judged images in common; i006.png is in one only; --shared"):
        main(["one.csv", "other.csv", *FAST])
    main(["one.csv", "other.csv", "--shared", "--out", "out", *FAST])
    assert json.loads(Path("out/one/metrics.json").read_text())["image"]["n"] == 33
    flipped = other.assign(label=other["label"].mask(other["image"] == "i006.png", "malignant"))
    save(flipped, "other.csv")
    with pytest.raises(UserError, match="1 images have another label in other than in one, such as i006.png"):
        main(["one.csv", "other.csv", *FAST])
    save(other.assign(patient=other["patient"].replace({"p02": "p05"})), "other.csv")
    with pytest.raises(UserError, match="group the images by other patients"):
        main(["one.csv", "other.csv", *FAST])
    save(other.drop(columns="patient"), "other.csv")
    main(["one.csv", "other.csv", *FAST])
    with pytest.raises(UserError, match="given twice"):
        main(["one.csv", "./one.csv", *FAST])


def test_accents_may_stand_in_their_letters_or_apart(make_table: Make, save: Save) -> None:
    """As macOS writes names of files, and as they are typed."""
    together = make_table().replace({"benign": "gutartig", "malignant": "bösartig"})
    together = together.rename(columns={"prob_benign": "prob_gutartig", "prob_malignant": "prob_bösartig"})
    together = together.assign(**{name: "é" + together[name] for name in ("image", "patient")})
    apart = together.map(lambda cell: normalize("NFD", cell) if isinstance(cell, str) else cell)
    mixed = pd.concat([together[::2], apart[1::2]])
    for name, frame in (("together", together), ("apart", apart.rename(columns=lambda n: normalize("NFD", n)))):
        save(frame, f"{name}.csv")
    save(mixed, "mixed.csv")
    assert mixed["patient"].nunique() > together["patient"].nunique()
    main(["together.csv", "apart.csv", "mixed.csv", "--positive", "bösartig", "--out", "out", *FAST])
    first, *others = (
        json.loads(Path("out", name, "metrics.json").read_text()) for name in ("together", "apart", "mixed")
    )
    assert first["patient"]["n"] == together.loc[together["part"] == "test", "patient"].nunique()
    for other in others:
        assert (other["image"], other["patient"]) == (first["image"], first["patient"])
    assert judged("apart.csv", "--positive", normalize("NFD", "bösartig"))["image"] == first["image"]


def test_out_of_fold_predictions_rank_within_folds(make_table: Make, save: Save, drawn: None) -> None:
    frame = make_table().drop(columns="part")
    fold = frame["patient"].str[1:].astype(int) // 6 % 2
    # Another scale in each fold: ranks over both would be worse.
    shifted = frame["prob_malignant"] / 2 + fold / 2
    frame = frame.assign(fold=fold, prob_malignant=shifted, prob_benign=1 - shifted)
    found = judged(save(frame))["image"]["auc"]
    pairs = concordant = 0.0
    for _, rows in frame.groupby("fold"):
        truth = rows["label"] == "malignant"
        n = truth.sum() * (~truth).sum()
        pairs, concordant = pairs + n, concordant + n * roc_auc_score(truth, rows["prob_malignant"])
    assert found == pytest.approx(concordant / pairs)
    assert not Path("out/plots/precision_recall.png").exists()


def test_the_folder_is_whole_or_absent_and_only_ours_is_replaced(
    make_table: Make, save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drawn: None
) -> None:
    path = save(make_table())
    judged(path.resolve())
    before = Path("out/metrics.json").read_bytes()
    for file in Path("out").rglob("*"):
        if file.suffix in (".html", ".json", ".txt", ".md", ".csv"):
            assert str(tmp_path) not in file.read_text(), file
    judged(path)
    assert Path("out/metrics.json").read_bytes() == before
    monkeypatch.setattr("bycase.apps.judge.write.draw_confusion", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        judged(path)
    assert Path("out/metrics.json").read_bytes() == before
    assert not list(Path().glob(".partial-*"))
    shutil.rmtree("out")
    Path("out").mkdir()
    Path("out/thesis.tex").write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match="did not write"):
        judged(path)
    assert [file.name for file in Path("out").iterdir()] == ["thesis.tex"]


def test_a_mistake_is_one_line_and_leaves_nothing(make_table: Make, save: Save) -> None:
    save(make_table(("a", "b", "c")))
    for words, said in (
        (["absent.csv"], "absent.csv not found"),
        (["predictions.csv", "--threshold", "0.3"], "--threshold is for a probability of one of two classes"),
        (["predictions.csv", "--positive", "a"], "--positive is for two classes"),
    ):
        command = [sys.executable, "-m", "bycase", "judge", *words, "--out", "out"]
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == 1
        assert said in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr
        assert not Path("out").exists()


def test_one_patient_with_images_of_both_classes(make_table: Make, save: Save) -> None:
    frame = make_table().drop(columns=["part", "site"])
    one = frame[frame["patient"].isin(["p00", "p03"])].assign(patient="p00")
    found = judged(save(one))
    assert (found["image"]["n"], found["image"]["n_patients"]) == (6, 1)
    for name, limits in found["image"]["ci"].items():
        if name != "resamples":
            assert limits["low"] <= found["image"][name] <= limits["high"], name
