import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from bycase.core.errors import UserError
from bycase.core.files import write_csv
from bycase.core.params import Params
from bycase.studies.tune.outcome import methods
from bycase.studies.tune.outcome.compared import Cells, Compared, compare_cells, methods_markdown, methods_sentences
from bycase.studies.tune.outcome.methods import METHODS, cell_tuning, compare_methods
from bycase.studies.tune.outcome.methods_figure import draw_methods
from bycase.studies.tune.outcome.searches import read_search
from bycase.studies.tune.params import TuningParams
from bycase.studies.tune.place import FOLDS
from bycase.tables.manifest import MANIFEST, patients_note
from bycase.tables.results import read_results
from tests.conftest import MakeParams
from tests.fixtures.tune_outcome import make_manifest, make_tuning, write_search

GAINS = {"bayesian": 1.0, "bayesian+pbt": -1.0}


def make_cell(folder: Path, way: str, seed: int, outer: str) -> None:
    algorithm, trials = ("random", 1) if way == "default" else (way, 4)
    write_search(folder, outer, algorithm, trials, seed, gain=GAINS.get(way, 0.0))


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Compared:
    cells: Cells = {}
    folder = tmp_path_factory.mktemp("cells")
    for way in METHODS:
        for seed in (7, 8):
            for outer in "012":
                make_cell(folder / way / str(seed) / outer, way, seed, outer)
            cells = {**cells, (way, seed): [read_search(folder / way / str(seed) / outer) for outer in "012"]}
    return compare_cells(cells, make_manifest(), 1000, 7, patients_known=True)


def test_each_way_against_both_references_by_holm(compared: Compared) -> None:
    against = compared.summary["against"]
    assert {reference: list(of) for reference, of in against.items()} == {
        "default": ["random", "bayesian", "pbt", "bayesian+pbt"],
        "random": ["bayesian", "pbt", "bayesian+pbt"],
    }
    tests = [found for of_ways in against.values() for found in of_ways.values()]
    expected = multipletests([found["p"] for found in tests], method="holm")[1]
    assert [found["p_holm"] for found in tests] == pytest.approx(expected)
    ways = compared.summary["methods"]
    gain = against["default"]["bayesian"]
    assert gain["estimate"] == pytest.approx(ways["bayesian"]["outer"]["score"] - ways["default"]["outer"]["score"])
    by_seed = [ways["bayesian"]["outer"]["seeds"][s] - ways["default"]["outer"]["seeds"][s] for s in ("7", "8")]
    assert gain["seed_sd"] == pytest.approx(np.std(by_seed, ddof=1))
    assert compared.summary["n_images"] == 270


def test_it_is_said_plainly_what_does_not_help(compared: Compared) -> None:
    said = methods_sentences(compared)
    assert len(said) == 7
    assert said[0].startswith("random is not shown to help against the default settings: outer AUC .")
    assert "the interval includes 0: no gain shown" in said[0]
    assert said[1].startswith("bayesian is better than the default settings: ")
    assert said[3].startswith("bayesian+pbt is worse than the default settings: ")
    assert said[5].startswith("pbt is not shown to be better than random search: ")


def test_an_interval_beside_0_is_no_gain_where_holm_says_no(compared: Compared) -> None:
    found = {"estimate": 0.02, "ci": {"low": 0.001, "high": 0.04}, "p": 0.04, "p_holm": 0.2}
    summary = {**compared.summary, "against": {"default": {"pbt": found}}}
    (said,) = methods_sentences(Compared(**{**vars(compared), "summary": summary}))
    assert said.startswith("pbt is not shown to help")
    assert "the interval leaves out 0, but not after adjusting for all tests: no gain shown" in said


def test_curves_are_the_mean_of_the_outer_folds_best(compared: Compared) -> None:
    assert compared.spent[0] == 1
    for way, curve in compared.curves.items():
        assert curve.shape == (2, len(compared.spent))
        known = np.isfinite(curve).all(axis=0)
        assert (np.diff(curve[:, known], axis=1) >= 0).all()
        inner = compared.summary["methods"][way]["inner"]
        assert curve[:, -1].mean() == pytest.approx(inner)


def test_table_and_figure_name_every_way_and_say_phantom(compared: Compared) -> None:
    table = methods_markdown(compared, ["a sentence"])
    rows = [line for line in table.splitlines() if line.startswith("|")]
    assert [row.split(" | ")[0] for row in rows[2:]] == [f"| {way}" for way in METHODS]
    assert len({row.count("|") for row in rows}) == 1
    assert "phantom data (generated images)" in table
    assert "over 7 tests" in table
    figure = draw_methods(compared)
    texts = [text.get_text() for text in figure.texts]
    assert texts[0].startswith("1 of 4 methods shown to beat default; largest gain .")
    assert "generated images" in texts[1]
    assert figure.axes[1].get_title("left") == "what the search sees"
    gain = compared.summary["against"]["default"]["random"]
    alone = replace(compared, summary=compared.summary | {"against": {"default": {"random": gain}}})
    title = draw_methods(alone).texts[0].get_text()
    assert re.fullmatch(r"random is (not )?shown to beat default; gain -?\.\d{3}", title)
    assert ("not" in title) == (gain["p_holm"] >= 0.05 or gain["estimate"] <= 0)


def test_no_patients_are_claimed_where_nothing_names_them(compared: Compared) -> None:
    assert "note" not in compared.summary
    unknown = replace(compared, summary=compared.summary | patients_note(False))
    for shown, size in ((compared, "270 images of 90 patients"), (unknown, "270 images, patients unknown")):
        figure = draw_methods(shown)
        words = [*(text.get_text() for text in figure.texts), *(axes.get_title("left") for axes in figure.axes)]
        for text in (" ".join(words).replace("\n", " "), methods_markdown(shown, [])):
            assert size in text
            assert ("intervals over patients" in text) == (shown is compared)
            assert text.replace("patients unknown", "").count("patient") == 0 or shown is compared


@pytest.fixture
def runs(make_params: MakeParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Params, list[Any]]:
    """A project whose searches are written at once; which were run, by whom."""
    monkeypatch.chdir(tmp_path)
    write_csv(MANIFEST, make_manifest())
    FOLDS.parent.mkdir(parents=True, exist_ok=True)
    FOLDS.write_text("image\n", encoding="utf-8")
    done: list[Any] = []

    def run(params: Params, tuning: TuningParams, outer: str, target: Path, work: Path) -> Path:
        way = target.parts[-3]
        done.append((tuning.algorithm, tuning.seed, tuning.budget.trials, outer, work))
        make_cell(target, way, tuning.seed, outer)
        if len(done) == 4:
            raise KeyboardInterrupt
        return target

    @contextmanager
    def session(tuning: TuningParams) -> Iterator[None]:
        done.append("ray")
        yield

    monkeypatch.setattr(methods, "run_search", run)
    monkeypatch.setattr(methods, "ray_session", session)
    return make_params({"model": "efficientnetlite", "evaluate.resamples": 100}), done


def test_cells_that_are_there_are_not_run_again(runs: tuple[Params, list[Any]]) -> None:
    params, done = runs
    wanted: Any = (params, make_tuning(), [7], ["default", "bayesian"])
    with pytest.raises(KeyboardInterrupt):
        compare_methods(*wanted)
    assert done[1] == ("random", 7, 1, "0", Path("data/tuning/work/methods/default/s7/0"))
    compare_methods(*wanted)
    ran = [each[3] for each in done if each != "ray"]
    assert ran == ["0", "1", "2", "0", "1", "2"]
    assert done.count("ray") == 2
    methods.run_cells(*wanted)
    assert len(done) == 8
    assert list(read_results(methods.METRICS, "")["methods"]) == ["default", "bayesian"]
    assert "bayesian" in methods.TABLE.read_text(encoding="utf-8")
    assert methods.PLOT.stat().st_size > 10_000


def test_cells_of_other_settings_are_not_mixed(runs: tuple[Params, list[Any]], make_params: MakeParams) -> None:
    params, _ = runs
    with pytest.raises(KeyboardInterrupt):
        compare_methods(params, make_tuning(), [7], ["default", "random"])
    other = make_params({"model": "efficientnetlite", "zoo.efficientnetlite.patience": 3})
    with pytest.raises(UserError, match=r"methods: its cells are of zoo\.efficientnetlite\.patience 12, not 3: set it"):
        compare_methods(other, make_tuning(), [7], ["default", "random"])
    FOLDS.write_text("other\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"its cells are of data/tuning/folds\.csv "):
        compare_methods(params, make_tuning(), [7], ["default", "random"])


@pytest.mark.parametrize(
    ("seeds", "algorithms", "changes", "says"),
    [
        ([7], ["default", "grid"], {}, "unknown algorithm 'grid'; choose of: default, random"),
        ([7, 7], ["default", "random"], {}, "--seeds: 7 stands twice"),
        ([7], ["random", "random"], {}, "--algorithms: random stands twice"),
        ([7], ["random"], {}, "two algorithms or more"),
        ([7], ["default", "random"], {"outer": 0}, r"set outer\.folds"),
        ([7], ["default", "random"], {"minutes": 3.0}, r"set budget\.minutes"),
    ],
)
def test_what_cannot_be_compared(
    runs: tuple[Params, list[Any]], seeds: list[int], algorithms: list[str], changes: dict[str, Any], says: str
) -> None:
    tuning = make_tuning(outer=changes.get("outer", 3))
    if "minutes" in changes:
        tuning = tuning.model_copy(update={"budget": tuning.budget.model_copy(update=changes)})
    with pytest.raises(UserError, match=says):
        compare_methods(runs[0], tuning, seeds, algorithms)
    assert runs[1] == []


def test_every_way_but_the_default_gets_the_same_budget() -> None:
    budgets = {way: cell_tuning(make_tuning(), way, 9).budget.trials for way in METHODS}
    assert budgets == {"default": 1, "random": 12, "bayesian": 12, "pbt": 12, "bayesian+pbt": 12}
    assert cell_tuning(make_tuning(), "pbt", 9).seed == 9
