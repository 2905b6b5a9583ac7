"""README and manual: their links, and what is generated from the code. `make docs` checks the rest."""

import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from bycase.cli import COMMANDS
from bycase.core.closure import ROOT
from bycase.core.params_data import SplitParams
from docs.drawings import FLOORS, draw_floors, draw_pipeline, stage_graph
from docs.tables import (
    PARAMETERS,
    PIPELINES,
    command_help,
    describe,
    parameter_rows,
    parameter_tables,
    read_comments,
    stage_tables,
)
from tests import test_house

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^()\s#:]*)(#[\w-]+)?\)")
MARK = re.compile(r"<!-- generated: (\w+) -->")


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower()) for heading in headings}


def navigation(entry: Any) -> list[str]:
    if isinstance(entry, str):
        return [entry]
    return [page for each in (entry.values() if isinstance(entry, dict) else entry) for page in navigation(each)]


def test_the_readme_is_one_screen_with_the_two_commands() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 150
    commands = [line.split("#")[0].strip() for line in lines if line.startswith("    make ")]
    assert commands == ["make repro", "make test"]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_link_is_dead(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    for target, anchor in links:
        path = (page.parent / target).resolve() if target else page
        assert path.is_file(), target
        assert not anchor or anchor[1:] in anchors(path), target + anchor


def test_a_dead_link_is_seen() -> None:
    assert LINK.findall("[a](b.md), ![c](../d.png), [e](f.md#g) and [h](https://i.example)") == [
        ("b.md", ""),
        ("../d.png", ""),
        ("f.md", "#g"),
    ]
    assert anchors(ROOT / "docs" / "how-to" / "tuning.md") >= {"tune-a-network", "what-a-score-is-worth"}


def test_every_page_is_in_the_navigation_and_every_mark_is_generated() -> None:
    content = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    pages = [page.relative_to(ROOT / "docs").as_posix() for page in PAGES if page.parent != ROOT]
    assert sorted(navigation(content["nav"])) == sorted(pages)
    marks = [mark for page in PAGES for mark in MARK.findall(page.read_text(encoding="utf-8"))]
    assert sorted(marks) == ["commands", "floors", "parameters", "pipeline", "stages"]


def leaves(content: Any, prefix: str = "") -> set[str]:
    if not isinstance(content, dict) or not content:
        return {prefix}
    return set().union(*(leaves(value, f"{prefix}.{key}".lstrip(".")) for key, value in content.items()))


def test_every_parameter_has_a_row_with_its_values_and_its_comment() -> None:
    rows = {
        key: (values, content, meaning)
        for key, values, content, meaning in parameter_rows(PARAMETERS["params.yaml"], "params.yaml")
    }
    file = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    dataset, network = next(iter(file["datasets"])), next(iter(file["zoo"]))
    file["datasets"], file["zoo"] = {"<name>": file["datasets"][dataset]}, {"<model>": file["zoo"][network]}
    file["audit"]["waive"] = []
    assert set(rows) == leaves(file)
    values, content, meaning = rows["split.protocol"]
    assert values == "fractions, official, kfold, file"
    assert (content, meaning) == (
        file["split"]["protocol"],
        "fractions | official (a published BreakHis fold) | kfold | file",
    )
    assert rows["split.test"][0] == "number > 0, < 1"
    assert rows["datasets.<name>.slug"][0] == "text or null"
    assert rows["zoo.<model>.unfreeze.steps"][0] == "whole number ≥ 1"
    assert "equal steps" in rows["zoo.<model>.unfreeze.steps"][2]


def test_the_tables_follow_the_models() -> None:
    class Renamed(SplitParams):
        added: bool

    fields = Renamed.model_json_schema()
    assert describe(fields, fields["properties"]["added"]) == "true, false"
    text = parameter_tables()
    for name, model in PARAMETERS.items():
        assert f"## `{name}`" in text
        assert all(
            f"| `{key}" in text for key, field in model.model_json_schema()["properties"].items() if "type" in field
        )


def test_comments_belong_to_the_key_beside_or_below_them() -> None:
    text = "a: 1   # first\n\nb:  # section\n  # above\n  c: [1, 2]\n  d: {e: 1}\nf: 2\n"
    assert read_comments(text) == {"a": "first", "b": "section", "b.c": "above", "b.d": "", "f": ""}


def test_every_stage_is_in_its_table_and_every_command_in_its_help() -> None:
    tables = stage_tables()
    for pipeline in PIPELINES:
        section = tables.partition(f"## `{pipeline}`")[2]
        assert all(f"### {name} " in section for name in test_house.read_stages(pipeline))
    assert "| writes | `data/splits.csv` `data/splits.json` |" in tables
    assert "bycase/core" not in tables
    text = command_help()
    assert all(f"## bycase {command}\n" in text for command in COMMANDS)
    assert "### bycase recipe run\n" in text
    assert "--honest" in text


def test_the_drawings_show_every_stage_and_floor() -> None:
    graph = stage_graph()
    assert set(graph) == set(test_house.read_stages("dvc.yaml"))
    assert graph["download"] == {"check"}
    assert graph["split"] == {"audit"}  # which waits for restructure and download itself
    order = ["check", "download", "restructure", "audit", "split", "preprocess", "embed", "train", "evaluate"]
    assert all(before in graph[after] for before, after in pairwise(order))
    assert all(f'href="#{name}"' in draw_pipeline() for name in graph)
    assert [*FLOORS, "__main__"] == test_house.FLOORS
    assert all(f">{floor}<" in draw_floors() for floor in FLOORS)


def test_the_manual_builds_and_fetches_nothing(tmp_path: Path) -> None:
    pytest.importorskip("material", reason="make docs installs it")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for page in tmp_path.rglob("*.html"):
        if "project" not in page.parts:
            fetched = re.findall(
                r'<(?:script|img|link|iframe)[^>]+(?:src|href)="?((?:https?:)?//[^" >]+)', page.read_text()
            )
            assert not fetched, page
