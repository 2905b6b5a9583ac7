"""The section on the maps of where the network sees its class, and what is said of them elsewhere."""

from pathlib import Path

from bycase.core.wording import Numbers, count, metric_with_interval
from bycase.explain.deletion import SCORES
from bycase.explain.every_map import MAP_WORDS
from bycase.explain.sanity import judge
from bycase.figures.deletion import ORDER_WORDS, difference_words
from bycase.report.blocks import Block, Listing, Section, Table, Text, missing
from bycase.report.sections import INTERVALS, figure_or_note

COMMAND = "dvc repro explain plot"


def explanation_words(explained: Numbers) -> str:
    """Whether each kind of map passes the sanity check and what its order of pixels is worth."""
    return " ".join(
        f"{MAP_WORDS[method]}: sanity check {judge(of)}. {difference_words(explained, method)}."
        for method, of in explained["sanity"].items()
    )


def explanation_section(explained: Numbers | None, plots: Path, images: bool) -> Section:
    """Scores and sanity check of the maps, with maps where images of the data set may be shown.

    Parameters
    ----------
    explained : dict or None
        ``metrics/explain.json``, where it is there.
    plots : Path
        The folder of the figures.
    images : bool
        Whether images of the data set may be shown.
    """
    title = "Explanations: where the network sees its class"
    if explained is None:
        return Section("explanations", title, [missing("The maps and their scores", "dvc repro explain")])
    caption = (
        f"Areas under the curves of {count(explained['n'])} test images of {count(explained['n_patients'])} patients: "
        f"deletion is good where low, insertion where high. {INTERVALS}"
    )
    rows = [
        (ORDER_WORDS[order], *(metric_with_interval(of, score) for score in SCORES))
        for order, of in explained["scores"].items()
    ]
    blocks: list[Block] = [
        Text("A map shows what the network responds to, not why a tissue is malignant, and not that it is right."),
        Listing([f"{MAP_WORDS[method]}: sanity check {judge(of)}" for method, of in explained["sanity"].items()]),
        Table(caption, ("pixels in the order of", *SCORES), rows),
        Listing([f"{MAP_WORDS[method]}. {difference_words(explained, method)}" for method in explained["sanity"]]),
    ]
    if images:
        alt = "Test images beside maps of where the network sees its class"
        blocks.append(figure_or_note(plots / "explanations.png", alt, "Maps by outcome.", COMMAND))
    alt = "Probability of the class called as pixels are deleted and inserted"
    blocks.append(figure_or_note(plots / "deletion.png", alt, "Curves of deletion and insertion.", COMMAND))
    return Section("explanations", title, blocks)
