"""The section on explanation maps, and sentences on them for the other documents."""

from collections.abc import Mapping
from pathlib import Path

from bycase.core.wording import Numbers, metric_with_interval, sample_words
from bycase.explain.deletion import SCORES
from bycase.explain.maps import MAP_WORDS
from bycase.explain.sanity import judge
from bycase.figures.deletion import ORDER_WORDS, difference_words
from bycase.report.blocks import Block, Listing, Section, Table, Text, missing
from bycase.report.sections import figure_or_note, intervals_of

COMMAND = "dvc repro explain plot"


def explanation_words(explained: Numbers) -> str:
    """Whether each kind of map passes the sanity check, and what its order of pixels is worth."""
    worth = _worth(explained)
    return " ".join(f"{check}. {worth[method]}" for method, check in _checks(explained).items())


def explanation_section(explained: Numbers | None, plots: Path, images: bool) -> Section:
    """Scores and sanity check of the maps, and the maps where images of the data set may be shown.

    `explained` is the content of ``metrics/explain.json``, None where there is none; `plots` is the figures' folder.
    """
    title = "Explanation maps"
    if explained is None:
        return Section("explanations", title, [missing("the maps and their scores", "dvc repro explain")])
    caption = (
        f"Areas under the curves of {sample_words(explained['n'], explained, 'test image')}. "
        f"Deletion: lower is better; insertion: higher is better. {intervals_of(explained)}"
    )
    rows = [
        (ORDER_WORDS[order], *(metric_with_interval(areas, score) for score in SCORES))
        for order, areas in explained["scores"].items()
    ]
    blocks: list[Block] = [
        Text(
            "A map shows what the network responds to. It does not show why tissue is malignant, or that it is right."
        ),
        Listing(list(_checks(explained).values())),
        Table(caption, ("pixels in the order of", *SCORES), rows),
        Listing([f"{MAP_WORDS[method]}. {words}" for method, words in _worth(explained).items()]),
    ]
    if images:
        alt = "Test images beside maps of where the network sees its class"
        blocks.append(figure_or_note(plots / "explanations.png", alt, "Maps by outcome.", COMMAND))
    alt = "Probability of the predicted class as pixels are deleted and inserted"
    blocks.append(figure_or_note(plots / "deletion.png", alt, "Deletion and insertion curves.", COMMAND))
    return Section("explanations", title, blocks)


def _checks(explained: Numbers) -> dict[str, str]:
    sanity: Mapping[str, Numbers] = explained["sanity"]
    return {method: f"{MAP_WORDS[method]}: sanity check {judge(check)}" for method, check in sanity.items()}


def _worth(explained: Numbers) -> dict[str, str]:
    return {method: f"{difference_words(explained, method)}." for method in explained["sanity"]}
