from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bycase.apps.judge.files import read_decimal_commas
from bycase.apps.judge.options import Options
from bycase.apps.judge.table import UNKNOWN_PATIENTS, Table, read_predictions
from bycase.core.errors import UserError

Save = Callable[..., Path]
Make = Callable[..., pd.DataFrame]


def read(path: Path, **options: Any) -> Table:
    return read_predictions(path, Options(**options))


def refusal(path: Path, **options: Any) -> str:
    with pytest.raises(UserError) as error:
        read(path, **options)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("suffix", ["csv", "tsv", "xlsx", "parquet", "jsonl"])
def test_every_format_gives_the_same_rows(make_table: Make, save: Save, suffix: str) -> None:
    frame = make_table()
    table = read(save(frame, f"predictions.{suffix}"))
    assert (table.classes, table.positive, table.subgroups) == (["benign", "malignant"], "malignant", ["site"])
    assert table.part("test")["image"].tolist() == sorted(frame["image"][frame["part"] == "test"])
    exact = suffix not in ("jsonl", "xlsx")
    np.testing.assert_allclose(
        table.scores, frame[["prob_benign", "prob_malignant"]], rtol=0 if exact else 1e-12, atol=0 if exact else 1e-14
    )
    assert "36 rows of the part train: not judged" in table.said


def test_semicolons_and_decimal_commas_of_a_spreadsheet_are_read_and_said(make_table: Make, save: Save) -> None:
    frame = make_table()
    plain = read(save(frame, "plain.csv"))
    assert not any("comma" in line for line in plain.said)
    frame.to_csv("semicolons.csv", index=False, sep=";", decimal=",")
    table = read(Path("semicolons.csv"))
    np.testing.assert_array_equal(table.scores, plain.scores)
    assert "decimal commas: prob_benign, prob_malignant" in table.said


@pytest.mark.parametrize(
    ("cells", "read_as"),
    [
        (["0,5", "1", "1e-7", ""], ["0.5", "1", "1e-7", ""]),
        (["-2,25", "+1,5E3"], ["-2.25", "+1.5E3"]),
        (["0,5", "0.5"], None),
        (["1,234,567"], None),
        (["a,b"], None),
        (["0.5", "1"], None),
        (["", ""], None),
    ],
)
def test_only_a_column_of_nothing_but_numbers_has_decimal_commas(cells: list[str], read_as: list[str] | None) -> None:
    frame, columns = read_decimal_commas(pd.DataFrame({"image": "a,1", "score": cells}))
    assert (frame["score"].tolist(), columns) == ((read_as, ["score"]) if read_as else (cells, []))


def test_the_order_of_rows_and_columns_changes_nothing(make_table: Make, save: Save) -> None:
    frame = make_table()
    one = read(save(frame, "one.csv"))
    other = read(save(frame.sample(frac=1, random_state=1)[frame.columns[::-1]], "other.csv"))
    pd.testing.assert_frame_equal(one.rows, other.rows[one.rows.columns])
    np.testing.assert_array_equal(one.scores, other.scores)


def test_logits_are_softmaxed_when_name_or_option_says_so(make_table: Make, save: Save) -> None:
    frame = make_table()
    logits = np.log(frame[["prob_benign", "prob_malignant"]].to_numpy()).astype(np.float32) + 3
    bare = frame.drop(columns=["prob_benign", "prob_malignant"])
    for names, options in (
        (["logit_benign", "logit_malignant"], {}),
        (["logits_0", "logits_1"], {"classes": ("benign", "malignant")}),
        (["output_benign", "output_malignant"], {"logits": True}),
    ):
        table = read(save(bare.assign(**dict(zip(names, logits.T, strict=True)))), **options)
        np.testing.assert_allclose(table.scores, frame[["prob_benign", "prob_malignant"]], atol=1e-6)
        assert "softmax taken of the logits" in table.said
    one = read(save(bare.assign(logit=logits[:, 1] - logits[:, 0])))
    np.testing.assert_allclose(one.scores, frame[["prob_benign", "prob_malignant"]], atol=1e-6)
    assert "say --logits" in refusal(save(bare.assign(output_benign=logits[:, 0], output_malignant=logits[:, 1])))


def test_lists_of_logits_in_json_lines(make_table: Make, save: Save) -> None:
    frame = make_table()
    rows = frame[["image", "patient", "label", "part"]].assign(
        logits=np.log(frame[["prob_benign", "prob_malignant"]].to_numpy()).tolist()
    )
    table = read(save(rows, "torch.jsonl"), classes=("benign", "malignant"))
    np.testing.assert_allclose(table.scores, frame[["prob_benign", "prob_malignant"]], atol=1e-12)


def test_numbers_for_labels_and_one_probability(make_table: Make, save: Save) -> None:
    frame = make_table()
    numbered = pd.DataFrame(
        {
            "image_id": frame["image"],
            "y_true": (frame["label"] == "malignant").astype(float),
            "y_prob": frame["prob_malignant"],
        }
    )
    table = read(save(numbered))
    assert (table.classes, table.positive, table.patients_known) == (["0", "1"], "1", False)
    assert table.warnings == [UNKNOWN_PATIENTS]
    named = read(save(numbered), classes=("benign", "malignant"))
    assert (named.classes, named.positive) == (["benign", "malignant"], "malignant")
    np.testing.assert_array_equal(named.scores[:, 1], frame["prob_malignant"])


def test_the_probability_of_the_predicted_class_is_told_from_that_of_the_positive(make_table: Make, save: Save) -> None:
    frame = make_table()
    both = frame[["prob_benign", "prob_malignant"]]
    predicted = both.idxmax(axis="columns").str.removeprefix("prob_")
    rows = frame[["image", "patient", "label"]].assign(prediction=predicted, probability=both.max(axis="columns"))
    table = read(save(rows))
    np.testing.assert_allclose(table.scores, both, atol=1e-12)
    assert any("never below 0.5, hence of the class in prediction" in line for line in table.said)


def test_two_equally_good_readings_are_both_shown(make_table: Make, save: Save) -> None:
    frame = make_table()
    words = refusal(save(frame.rename(columns={"label": "target"}).assign(truth=frame["label"])))
    assert "'target' (benign, malignant)" in words
    assert "'truth' (benign, malignant)" in words
    assert "--label COLUMN" in words
    doubled = frame.assign(logit_benign=-1.0, logit_malignant=1.0)
    assert "prob_benign, prob_malignant or logit_benign, logit_malignant" in refusal(save(doubled))
    assert read(save(doubled), score=("prob_*",)).probabilities
    renamed = frame.replace({"benign": "left", "malignant": "right"})
    renamed.columns = pd.Index([name.replace("benign", "left").replace("malignant", "right") for name in renamed])
    assert "--positive left or --positive right" in refusal(save(renamed))
    assert read(save(renamed), positive="left").classes == ["right", "left"]


def test_what_is_wrong_is_said_in_one_line(make_table: Make, save: Save) -> None:
    frame = make_table()
    test = frame.index[frame["part"] == "test"]

    def change(column: str, value: object, rows: int = 2) -> pd.DataFrame:
        changed = frame.astype({column: object})
        changed.loc[test[:rows], column] = value
        return changed

    assert "2 of 72 images have no number or NaN as score" in refusal(save(change("prob_benign", np.nan)))
    assert "do not sum to one" in refusal(save(change("prob_benign", 0.999)))
    assert "outside [0, 1]" in refusal(save(change("prob_benign", 1.7)))
    assert "without patient" in refusal(save(change("patient", "")))
    assert "without label" in refusal(save(change("label", "")))
    assert "1 image more than once" in refusal(save(pd.concat([frame, frame.loc[test[:1]]])))
    assert "part 'pilot'" in refusal(save(change("part", "pilot")))
    assert "the scores of benign, malignant" in refusal(save(change("label", "odd")))
    both = refusal(save(change("prob_benign", np.nan).assign(patient="")))
    assert "NaN" in both
    assert "without patient" in both
    assert "no image of class malignant in the part test" in refusal(
        save(frame[(frame["part"] != "test") | (frame["label"] == "benign")])
    )
    assert "suffix" in refusal(save(frame).rename("predictions.xls"))
    Path("empty.csv").write_text("", encoding="utf-8")
    assert "empty.csv has no rows" in refusal(Path("empty.csv"))
    Path("broken.jsonl").write_text('{"image": 1}\n{"image"', encoding="utf-8")
    assert "cannot be read as jsonl" in refusal(Path("broken.jsonl"))
    assert "not found" in refusal(Path("absent.csv"))
    assert "no such column" in refusal(save(frame), patient="who")


def test_patients_in_two_parts_or_folds_are_a_leak(make_table: Make, save: Save) -> None:
    frame = make_table()
    assert read(save(frame)).warnings == []
    leaking = frame.assign(patient=frame["patient"].replace({"p00": "p02"}))
    (warning,) = read(save(leaking)).warnings
    assert warning.startswith("LEAK: 1 patient is in more than one part (p02 in test and train)")
    out_of_fold = frame.drop(columns="part").assign(fold=np.arange(len(frame)) % 2)
    (warning,) = read(save(out_of_fold)).warnings
    assert warning.startswith("LEAK: 36 patients are in more than one fold")


def test_rounded_probabilities_are_scaled_and_it_is_said(make_table: Make, save: Save) -> None:
    frame = make_table(("a", "b", "c"))
    columns = ["prob_a", "prob_b", "prob_c"]
    table = read(save(frame.round(dict.fromkeys(columns, 3))))
    np.testing.assert_allclose(table.scores.sum(axis=1), 1, atol=1e-4)
    assert any("but for rounding" in line for line in table.said)


def test_other_names_of_parts(make_table: Make, save: Save) -> None:
    frame = make_table()
    renamed = frame.assign(part=frame["part"].replace({"test": "Internal", "val": "tuning", "train": "pilot"}))
    table = read(save(renamed), test="Internal")
    assert table.rows["part"].value_counts().to_dict() == {"test": 36, "val": 36, "other": 36}
