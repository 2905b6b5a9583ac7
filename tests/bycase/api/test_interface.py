import doctest
import importlib
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import bycase
from bycase.core.closure import ROOT
from tests.bycase.api.conftest import Predictions

MODULES = ("comparison", "folds", "intervals", "leakage", "power", "splits")
HEAVY = ("numpy", "pandas", "scipy", "sklearn", "tensorflow", "keras", "ray", "matplotlib", "dvc", "pydantic")


def loaded_after(code: str) -> set[str]:
    """The packages that a new Python has loaded at the end."""
    code += "; import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_front_door_loads_nothing() -> None:
    assert not loaded_after("import bycase; dir(bycase)") & set(HEAVY)
    assert "pandas" in loaded_after("import bycase; bycase.check_split")


def test_no_function_needs_a_network_a_figure_or_a_cluster() -> None:
    named = "; ".join(f"bycase.{name}" for name in bycase.__all__)
    assert not loaded_after(f"import bycase; {named}") & {"tensorflow", "keras", "ray", "matplotlib", "dvc"}


def test_names_are_found_and_others_are_not() -> None:
    assert set(bycase.__all__) <= set(dir(bycase))
    for name in bycase.__all__:
        assert getattr(bycase, name).__doc__
    with pytest.raises(AttributeError, match="'bycase' has no attribute 'interval'"):
        bycase.interval  # noqa: B018


def test_type_checkers_see_the_functions(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import bycase\nreveal_type(bycase.intervals([0, 1], [0.2, 0.9]).image['auc'].low)\n", "utf-8")
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(ROOT / ".mypy_cache"), str(script)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert 'Revealed type is "float"' in done.stdout, done.stdout
    assert (ROOT / "bycase/py.typed").is_file()


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_are_true(name: str) -> None:
    module = importlib.import_module(f"bycase.api.{name}")
    done = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert done.attempted > 2
    assert done.failed == 0


def results(data: Predictions) -> list[Any]:
    y, score, other, patient = data
    half = ["train" if name < "P12" else "test" for name in patient]
    return [
        bycase.intervals(y, score, patient, resamples=200),
        bycase.compare(y, {"one": score, "other": other}, patient, resamples=200),
        bycase.check_split(patient=patient, part=half, label=y),
        bycase.leakage([[a, b] for a, b in zip(score, other, strict=True)], y, patient, repeats=1),
        bycase.power(50, images_per_patient=10),
    ]


def test_results_are_frozen_print_as_one_line_and_can_be_sent_elsewhere(predictions: Predictions) -> None:
    for result in results(predictions):
        assert str(result).endswith(".")
        assert "\n" not in str(result)
        assert repr(result) == f"<{type(result).__name__}: {result}>"
        with pytest.raises(AttributeError, match="cannot assign"):
            result.size = ""
        assert pickle.loads(pickle.dumps(result)) == result


def test_results_become_dictionaries_that_json_takes(predictions: Predictions) -> None:
    for result in results(predictions):
        assert json.loads(json.dumps(result.to_dict(), allow_nan=False)) == result.to_dict()
