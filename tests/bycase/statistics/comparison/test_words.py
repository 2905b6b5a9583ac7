"""What is said of a pair, and beside all of them."""

import pytest

from bycase.statistics.comparison.words import Finding, resolution_note, sentence


@pytest.mark.parametrize("clusters", ["patients", "images"])
def test_what_is_resolved_is_said_of_what_was_counted(clusters: str) -> None:
    resolution = {"power": 0.8, "scenarios": {"auc": {"a": {"points": 12.74}, "b": {"points": 2.91}}}}
    (note,) = resolution_note(resolution, "auc", clusters)
    assert note.startswith(f"These {clusters} resolve 2.9 to 12.7 points of AUC at image level, depending on the pair:")
    assert not resolution_note(resolution, "accuracy", clusters)


@pytest.mark.parametrize(
    ("difference", "equivalence", "says"),
    [
        (60, 80, "Detecting a true difference of .03 would take about 60 patients, showing equivalence about 80."),
        (40, 1234, "detected with a power of 80% or more; showing equivalence would take about 1,234 patients."),
        (40, 50, "with a power of 80% or more, but the observed difference is too close to it to show equivalence."),
    ],
)
def test_what_is_not_resolved_says_how_many_patients_it_would_take(
    difference: int, equivalence: int, says: str
) -> None:
    finding = Finding(
        models=("a", "b"),
        metric="auc",
        level="image",
        values=(0.91, 0.9),
        low=-0.02,
        high=0.04,
        p=0.4,
        p_equivalence=0.2,
        margin=0.03,
        verdict="not resolvable",
        within_margin=False,
        needed={"difference": difference, "equivalence": equivalence},
        n_patients=50,
        spread=None,
        repeats=1,
    )
    assert sentence(finding).endswith(says)
