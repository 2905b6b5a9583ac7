"""One answer as HTML, and the pictures in it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from PIL import Image

from bycase.apps.serve.inference_service import Pixels, Seen, data_uri
from bycase.apps.serve.schema import Model, Similar

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


def write_model_info(seen: Seen, model: Model, title: str, folder: Path) -> str:
    """One answer as HTML.

    Parameters
    ----------
    seen : Seen
        The answer, with pictures.
    model : Model
        The network that gave it.
    title : str
        The heading.
    folder : Path
        ``data/preprocessed``, whose training images are shown where they are there.

    Returns
    -------
    str
        An ``<article>``; its pictures are ``data:`` URIs.
    """
    return (
        make_environment()
        .get_template("answer.html")
        .render(
            answer=seen.answer,
            model=model,
            title=title,
            watched=model.positive or seen.answer.called,
            image=data_uri(seen.image),
            heatmap=None if seen.heatmap is None else data_uri(seen.heatmap),
            thumbnails=show_similar(seen.answer.similar, folder),
        )
    )


def write_about(model: Model) -> str:
    """What the page says of the network."""
    return make_environment().get_template("about.html").render(model=model)


def show_similar(similar: Sequence[Similar], folder: Path) -> list[str | None]:
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
