from dataclasses import replace
from pathlib import Path

import pytest

from bycase.core.errors import UserError
from bycase.figures.run_info import RunInfo, read_run_info
from bycase.report.summary import summarise


def test_the_subtitle_says_what_the_numbers_are_of(run_info: RunInfo) -> None:
    assert run_info.subtitle == [
        "resnet50v2, random weights; phantom data (generated images)",
        "split by case; 120 test images of 12 patients",
    ]


@pytest.mark.parametrize(
    ("card", "protocol", "expected"),
    [
        ({"weights": "imagenet"}, {}, "ImageNet weights"),
        ({"weights": "/a/b/best.weights.h5"}, {}, "weights of best.weights.h5"),
        ({"dataset": "breakhis"}, {}, "breakhis phantom (generated images)"),
        ({"dataset": "breakhis", "phantom": False}, {"magnifications": [100, 200]}, "; breakhis at 100X, 200X"),
        ({}, {"protocol": "official", "fold": 3, "group": "folder"}, "official fold 3, split by folder; 120"),
        ({}, {"group": "image", "cases_on_both_sides": 11}, "split by image, LEAKS: 11 cases on both sides"),
    ],
)
def test_variants_are_said(run_info: RunInfo, card: dict, protocol: dict, expected: str) -> None:
    variant = replace(run_info, model_info=run_info.model_info | card, protocol=run_info.protocol | protocol)
    assert expected in "\n".join(variant.subtitle)
    assert ("phantom" in "\n".join(variant.subtitle)) == variant.model_info["phantom"]


def test_the_summary_shows_value_interval_and_baseline(run_info: RunInfo) -> None:
    text = summarise(run_info)
    at = run_info.metrics["patient"]
    row = next(line for line in text.splitlines() if line.startswith("accuracy"))
    assert f"{at['accuracy']:.3f} ({at['ci']['accuracy']['low']:.3f} to {at['ci']['accuracy']['high']:.3f})" in row
    assert row.endswith(f"{at['baseline']['accuracy']:.3f}")
    for name in (
        "AUC",
        "sensitivity",
        "specificity",
        "phantom",
        "random weights",
        "split by case",
        "plots/report.html",
        "make serve",
        "-S dataset=breakhis",
        "docs/tutorials/your-images.md",
        "says anything about tissue",
        "Random weights, as the phantom has",
    ):
        assert name in text
    assert max(map(len, text.splitlines())) <= 100
    assert len(text.splitlines()) <= 19


@pytest.mark.parametrize(
    ("model_info", "phantom", "random"),
    [
        ({"weights": "imagenet"}, True, False),
        ({"mode": "end_to_end"}, True, False),  # its weights are random whatever the data are
        ({"dataset": "breakhis", "phantom": False}, False, False),
    ],
)
def test_the_summary_says_phantom_and_random_weights_only_where_they_are(
    run_info: RunInfo, model_info: dict, phantom: bool, random: bool
) -> None:
    text = summarise(replace(run_info, model_info=run_info.model_info | model_info))
    assert ("about tissue" in text) == ("dataset=breakhis" in text) == phantom
    assert ("Random weights" in text) == random


def test_missing_files_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="dvc repro train"):
        read_run_info()
