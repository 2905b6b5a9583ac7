"""Predictions as the page shows them: one as HTML with its pictures, all as CSV."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from PIL import Image

from bycase.apps.serve.inference_service import ImageResult, Pixels, data_uri
from bycase.apps.serve.schema import NOTICE, Model, Prediction, SimilarImage

TEMPLATES = Path(__file__).parent / "templates"
THUMBNAIL = 96  # pixels


def make_environment() -> Environment:
    """Templates of this package: HTML is escaped, an unknown name is an error."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render_prediction(result: ImageResult, model: Model, title: str, folder: Path) -> str:
    """One prediction as an ``<article>`` of HTML with this title, whose pictures are ``data:`` URIs.

    Similar training images are shown where they lie below `folder`.
    """
    return (
        make_environment()
        .get_template("prediction.html")
        .render(
            prediction=result.prediction,
            model=model,
            title=title,
            range_class=model.positive or result.prediction.predicted,
            image=data_uri(result.image),
            heatmap=None if result.heatmap is None else data_uri(result.heatmap),
            thumbnails=show_similar(result.prediction.similar, folder),
        )
    )


def render_about(model: Model) -> str:
    """What the page says of the network, as HTML."""
    return make_environment().get_template("about.html").render(model=model)


def show_similar(similar: Sequence[SimilarImage], folder: Path) -> list[str | None]:
    """Small pictures of training images; None for one that is not below `folder`."""
    return [_thumbnail(folder / each.image) if _is_below(folder, each.image) else None for each in similar]


def shrink(image: Pixels, size: int = THUMBNAIL) -> str:
    """A small copy as a ``data:`` URI."""
    small = Image.fromarray(image)
    small.thumbnail((size * 2, size * 2))
    return data_uri(np.asarray(small))


def _is_below(folder: Path, image: str) -> bool:
    """Whether a name, which comes from the model's file, leads to a file there."""
    path = (folder / image).resolve()
    return path.is_relative_to(folder.resolve()) and path.is_file()


def _thumbnail(path: Path) -> str | None:
    try:
        with Image.open(path) as image:
            return shrink(np.asarray(image.convert("RGB")), THUMBNAIL)
    except (OSError, SyntaxError):
        return None


def make_csv(predictions: Sequence[Prediction]) -> str:
    """One row an image, columns named as `bycase predict` names them; `notice` says what the numbers are not for."""
    rows = [
        {
            "image": prediction.image,
            "sha256": prediction.sha256,
            "class": prediction.predicted,
            **{f"probability_{name}": value for name, value in prediction.probabilities.items()},
            "low": prediction.low,
            "high": prediction.high,
            "set": "|".join(prediction.classes_set),
            "entropy": prediction.entropy,
            "distance": prediction.distance,
            "unlike": int(prediction.unlike),
            "notes": "; ".join(prediction.notes),
            "notice": NOTICE,
        }
        for prediction in predictions
    ]
    return pd.DataFrame(rows).to_csv(index=False, lineterminator="\n")
