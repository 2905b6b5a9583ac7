"""The three figures about the maps, with what they say of themselves."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from bycase.explain.artifacts import ExplainArtifacts
from bycase.explain.sanity import judge
from bycase.figures.deletion import compare_words, draw_deletion
from bycase.figures.explanation_sanity import draw_sanity
from bycase.figures.explanations import draw_examples


def draw_all(
    content: Mapping[str, Any], artifacts: ExplainArtifacts, subtitle: Sequence[str], seed: int
) -> dict[str, Figure]:
    """Draw the figures, by the name of the file below ``plots/``.

    Parameters
    ----------
    content : mapping
        ``metrics/explain.json``.
    artifacts : ExplainArtifacts
        What they show.
    subtitle : sequence of str
        Of which network and data, and how they were split.
    seed : int
        The pipeline's seed.
    """
    method = artifacts.method
    *head, last = subtitle
    scored = [*head, f"{last}; {content['n']} test images of {content['n_patients']} patients, drawn at random"]
    verdict = f"Sanity check {judge(content['sanity'][method])}"
    title = f"Deletion score: {compare_words(content, method)}"
    return {
        "explanations": draw_examples(artifacts.rows, title, [*subtitle, verdict]),
        "explanation_sanity": draw_sanity(
            content,
            method,
            artifacts.images,
            artifacts.cascade,
            artifacts.similarities,
            artifacts.patient,
            scored,
            seed,
        ),
        "deletion": draw_deletion(content, method, artifacts.orders, artifacts.curves, scored),
    }
