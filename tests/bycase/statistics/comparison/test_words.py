"""What is said beside pairs."""

import pytest

from bycase.statistics.comparison.words import resolution_note


@pytest.mark.parametrize("clusters", ["patients", "images"])
def test_what_is_resolved_is_said_of_what_was_counted(clusters: str) -> None:
    resolution = {"power": 0.8, "scenarios": {"auc": {"a": {"points": 12.74}, "b": {"points": 2.91}}}}
    (note,) = resolution_note(resolution, "auc", clusters)
    assert note.startswith(f"These {clusters} resolve 2.9 to 12.7 points of AUC at image level, depending on the pair:")
    assert not resolution_note(resolution, "accuracy", clusters)
