"""README and manual: their links, and what is generated from the code. `make docs` checks the rest."""

import json
import os
import re
import shutil
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
from bycase.core.wording import metric_with_interval
from bycase.report.summary import ROWS
from bycase.statistics.metric_names import METRICS, metric_words
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
from tests.fixtures.browsing import DESK, NEEDS_BROWSER, PHONE, headless, requested, visit

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


@pytest.mark.parametrize("page", ["README.md", "docs/tutorials/first-run.md"])
def test_the_table_that_a_page_shows_is_of_the_committed_metrics(page: str) -> None:
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    metrics = json.loads((ROOT / "metrics/metrics.json").read_text(encoding="utf-8"))
    rows = {metric: [line for line in lines if line.strip().startswith(f"{metric_words(metric)}  ")] for metric in ROWS}
    assert len(rows["auc"]) == len(rows["accuracy"]) == 1
    for metric, found in rows.items():
        for line in found:
            for level in ("image", "patient"):
                assert metric_with_interval(metrics[level], metric) in line


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
    assert values == "fractions, official, kfold, file, supplied, supplied_leaky"
    assert (content, meaning) == (
        file["split"]["protocol"],
        "fractions | official (a published BreakHis fold) | kfold | file | supplied | supplied_leaky",
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
    assert re.findall(r"<b>(\w+)</b>", draw_floors()) == FLOORS[::-1]


def build(folder: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """What `make docs` runs, for a folder with mkdocs.yml and docs/."""
    pytest.importorskip("material", reason="requirements-docs.txt brings mkdocs-material")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)}
    environment["PYTHONPATH"] += os.pathsep + os.environ.get("PYTHONPATH", "")
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = build(ROOT, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def built_pages(site: Path) -> list[Path]:
    """The manual's pages, without its copies of the project's files and a server's page for wrong addresses."""
    pages = [page for page in sorted(site.rglob("*.html")) if "project" not in page.relative_to(site).parts]
    return [page for page in pages if page.name != "404.html"]


def test_every_metric_has_a_formula_and_a_source() -> None:
    text = (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    section = text.partition("## Formulas")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.split(" | ")] for line in section.splitlines() if line.startswith("| `")]
    assert [row for row in rows if not (len(row) == 3 and row[1] and row[2].strip(" |"))] == []
    assert set(METRICS) <= {key for row in rows for key in re.findall(r"`(\w+)`", row[0])}


def test_the_manual_builds_and_its_html_fetches_nothing(site: Path) -> None:
    fetches = re.compile(r'<(?:script|img|link|iframe)[^>]+(?:src|href)="?((?:https?:)?//[^" >]+)')
    assert fetches.findall('<img alt="a" src="https://a.example/b.png">') == ["https://a.example/b.png"]
    pages = built_pages(site)
    assert len(pages) == len(PAGES) - 1  # README.md is not one
    assert [page for page in pages if fetches.search(page.read_text(encoding="utf-8"))] == []
    assert (site / "quickstart.ipynb").is_file()


def test_dead_links_fail_the_build(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    with (tmp_path / "docs" / "index.md").open("a", encoding="utf-8") as page:
        page.write("\n[a](nowhere.md), [b](limits.md#nothing), ![c](../plots/no.png)\n")
    done = build(tmp_path, tmp_path / "site")
    assert done.returncode != 0
    warnings = [line for line in done.stderr.splitlines() if line.startswith("WARNING")]
    assert len(warnings) == 3, done.stderr
    assert all(any(target in line for line in warnings) for target in ("nowhere.md", "#nothing", "no.png"))


@NEEDS_BROWSER
@pytest.mark.parametrize(("scheme", "width"), [("light", PHONE), ("dark", DESK)])
def test_pages_fit_follow_the_scheme_and_ask_nothing_of_other_hosts(
    site: Path, tmp_path: Path, scheme: str, width: int
) -> None:
    with headless(tmp_path) as browser:
        # Once in the other scheme: what a reader has not chosen is not remembered.
        visit(browser, (site / "index.html").as_uri(), {"light": "dark", "dark": "light"}[scheme], width)
        requested(browser)  # those of the browser's own start too
        for page in built_pages(site):
            visit(browser, page.as_uri(), scheme, width)
            assert {url.split(":", 1)[0] for url in requested(browser)} <= {"file", "data", "blob"}, page
            assert browser.execute_script("return document.documentElement.scrollWidth") <= width, page
            assert browser.execute_script("return [...document.images].every(image => image.naturalWidth > 0)"), page
            shown = browser.execute_script("return document.body.dataset.mdColorScheme")
            assert shown == {"light": "default", "dark": "slate"}[scheme], page
