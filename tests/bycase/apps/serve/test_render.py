"""A prediction as HTML, and all as CSV."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bycase.apps.serve.inference_service import ImageResult
from bycase.apps.serve.render import make_csv, render_prediction, show_similar
from bycase.apps.serve.schema import SimilarImage
from tests.fixtures.serve import BLACK, RED, make_picture, make_service


def make_result(colour: tuple[int, int, int]) -> ImageResult:
    (result,) = make_service().predict_files([make_picture(colour)], True)
    assert isinstance(result, ImageResult)
    return result


@pytest.mark.parametrize(
    ("set_from", "colour", "words"),
    [
        (0.3, BLACK, "Benign or Malignant (cannot be told apart)"),
        (0.3, RED, "<dd>Malignant</dd>"),
        (0.0, BLACK, "every class: validation had too few patients to leave one out"),
    ],
)
def test_the_prediction_set_is_in_words(
    set_from: float, colour: tuple[int, int, int], words: str, tmp_path: Path
) -> None:
    model = make_service().model.model_copy(update={"set_from": set_from})
    assert words in render_prediction(make_result(colour), model, "image 1", tmp_path)


def test_names_are_escaped(tmp_path: Path) -> None:
    result = make_result(RED)
    odd = result.prediction.model_copy(update={"predicted": "<script>alert(1)</script>", "notes": ["<img src=x>"]})
    html = render_prediction(ImageResult(odd, result.image, None), make_service().model, "<b>", tmp_path)
    for word in ("<script>", "<img src=x>", "<b>"):
        assert word not in html


def test_training_images_are_shown_from_their_folder_only(tmp_path: Path) -> None:
    folder = tmp_path / "preprocessed"
    folder.mkdir()
    for path in (folder / "a.png", tmp_path / "secret.png"):
        Image.new("RGB", (8, 8)).save(path)
    (folder / "broken.png").write_bytes(b"no image")
    names = ("a.png", "absent.png", "../secret.png", str(tmp_path / "secret.png"), "broken.png")
    shown = show_similar([SimilarImage(image=name, label="Benign", distance=0) for name in names], folder)
    assert [each is not None for each in shown] == [True, False, False, False, False]


def test_the_csv_holds_the_predictions() -> None:
    results = make_service().predict_files([make_picture(RED), make_picture(BLACK)], False)
    rows = list(
        csv.DictReader(io.StringIO(make_csv([each.prediction for each in results if isinstance(each, ImageResult)])))
    )
    assert [row["class"] for row in rows] == ["Malignant", "Malignant"]
    assert [row["set"] for row in rows] == ["Malignant", "Benign|Malignant"]
    assert [row["unlike"] for row in rows] == ["0", "1"]
    assert float(rows[0]["probability_Malignant"]) == pytest.approx(1 / (1 + np.exp(-4 * 230 / 255)), abs=1e-6)
    assert {row["notice"] for row in rows} == {"Research use, not a diagnosis"}
