"""An answer as HTML."""

from pathlib import Path

import pytest
from PIL import Image

from bycase.apps.serve.cards import show_similar, write_model_info
from bycase.apps.serve.inference_service import ImageResult
from bycase.apps.serve.schema import SimilarImage
from tests.fixtures.serve import BLACK, RED, make_answerer, make_picture


def make_seen(colour: tuple[int, int, int]) -> ImageResult:
    (seen,) = make_answerer().answer([make_picture(colour)], True)
    assert isinstance(seen, ImageResult)
    return seen


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
    model = make_answerer().model.model_copy(update={"set_from": set_from})
    assert words in write_model_info(make_seen(colour), model, "image 1", tmp_path)


def test_names_are_escaped(tmp_path: Path) -> None:
    seen = make_seen(RED)
    answer = seen.answer.model_copy(update={"called": "<script>alert(1)</script>", "notes": ["<img src=x>"]})
    card = write_model_info(ImageResult(answer, seen.image, None), make_answerer().model, "<b>", tmp_path)
    assert "<script>" not in card
    assert "<img src=x>" not in card
    assert "<b>" not in card


def test_training_images_are_shown_from_their_folder_only(tmp_path: Path) -> None:
    folder = tmp_path / "preprocessed"
    folder.mkdir()
    for path in (folder / "a.png", tmp_path / "secret.png"):
        Image.new("RGB", (8, 8)).save(path)
    (folder / "broken.png").write_bytes(b"no image")
    names = ("a.png", "absent.png", "../secret.png", str(tmp_path / "secret.png"), "broken.png")
    shown = show_similar([SimilarImage(image=name, label="Benign", distance=0) for name in names], folder)
    assert [each is not None for each in shown] == [True, False, False, False, False]
