"""Published BreakHis splits, audited by their slide folders alone."""

import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bycase.apps.check_split import main
from bycase.datasets.layouts.breakhis import parse_name
from bycase.datasets.published.breakhis import WORKS, name_images, read_split
from bycase.studies.published_splits import (
    assign_parts,
    audit_work,
    bound_by_folder,
    draw_by_folder,
    measure_worth,
)

EVA, THUNDER, DEBCODE = WORKS


@pytest.mark.parametrize(
    ("work", "images", "held_out", "benign", "malignant"),
    [(EVA, 1471, "val", (49, 129), (42, 210)), (THUNDER, 1471, "test", (49, 129), (42, 210)),
     (DEBCODE, 7909, "test", (458, 458), (187, 1195))],
    ids=["eva", "thunder", "debcode2006"],
)  # fmt: skip
def test_counts(work, images, held_out, benign, malignant) -> None:  # type: ignore[no-untyped-def]
    content = audit_work(work)
    assert (content["images"], content["held_out"]) == (images, held_out)
    by_class = content["case"]["by_class"]
    assert tuple(by_class["Benign"][key] for key in ("seen", "images")) == benign
    assert tuple(by_class["Malignant"][key] for key in ("seen", "images")) == malignant
    assert content["folder"]["straddling"] == 0  # they keep what they call patients apart


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.column)
def test_counts_are_those_of_the_published_names_counted_otherwise(shared: Path, work) -> None:  # type: ignore[no-untyped-def]
    """From the list of names and the file of parts, without any of this module's code but the reading of a name."""
    table = pd.read_csv(shared / f"published_splits/{work.column}.csv")
    parts = dict(zip(table["slide"], table["part"], strict=True))
    assert read_split(work).set_index("name")["part"].to_dict() == parts
    by_part = defaultdict(list)
    for name in (shared / "data/breakhis_all_names.txt").read_text().split():
        slide, magnification, _ = name.rsplit("-", 2)
        if slide in parts and int(magnification) in work.magnifications:
            by_part[parts[slide]].append(parse_name(name).case)
    held_out = "test" if by_part["test"] else "val"
    learned = {case for part, cases in by_part.items() if part != held_out for case in cases}
    content = audit_work(work)
    assert content["case"]["held_out_images"] == len(by_part[held_out])
    assert content["case"]["seen_images"] == sum(case in learned for case in by_part[held_out])


def test_no_split_by_slide_folder_leaks_more_than_the_bound() -> None:
    manifest = name_images()
    bound = bound_by_folder(manifest)
    assert bound["Benign"] == {"images": 2480, "seen": 1635}
    assert bound["Malignant"] == {"images": 5429, "seen": 858}
    shares = draw_by_folder(manifest, 0.3, 50, 0)
    assert np.all((shares >= 0) & (shares <= 1))
    assert draw_by_folder(manifest.assign(case=manifest["folder"]), 0.3, 5, 0).max() == 0


def test_worth_is_found_where_features_are_those_of_the_case_and_none_where_they_are_not() -> None:
    """Two slide folders a case, one on each side; labels by chance over cases, so that only the case can be learned."""
    random = np.random.default_rng(0)
    cases = np.repeat(np.arange(60), 8)
    labels = np.array(["Benign", "Malignant"])[random.integers(0, 2, 60)][cases]
    test = (np.arange(480) % 8 >= 4) & (cases < 30)
    frame = pd.DataFrame(
        {"image": [str(n) for n in range(480)], "label": labels, "case": cases.astype(str),
         "part": np.where(test, "test", "train")}
    )  # fmt: skip
    own = random.normal(size=(60, 80))[cases] + 0.1 * random.normal(size=(480, 80))
    worth = measure_worth(own, frame, 1.0)
    assert worth["seen_images"] == 120
    assert worth["points"]["difference"] > 30
    assert worth["points"]["low"] > 0
    apart = measure_worth(own, frame.assign(part=np.where(cases < 30, "test", "train")), 1.0)
    assert (apart["seen_images"], apart["points"]["difference"]) == (0, 0)
    assert measure_worth(own, frame.assign(label="Benign"), 1.0)["auc"] is None


def test_parts_are_assigned_at_a_works_magnifications_or_everywhere() -> None:
    assert len(assign_parts(EVA, name_images())) == 1471
    assert set(assign_parts(EVA, name_images(), everywhere=True)["magnification"]) == {40, 100, 200, 400}


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    main(["--published", "--json", "all.json"])
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.count("|") == 8 for line in lines) == len(lines) == 7
    assert json.loads((tmp_path / "all.json").read_text())["works"][2]["case"]["seen_images"] == 645
