"""`bycase power` on a benchmark that nobody ran, and on the published one."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from bycase.core.errors import UserError
from bycase.studies.power import main

PUBLISHED = Path(__file__).parents[3] / "results/breakhis-partial/predictions.csv.gz"


def test_what_it_prints_of_the_published_benchmark_is_what_params_yaml_assumes(
    capsys: pytest.CaptureFixture[str], default_params: dict[str, Any]
) -> None:
    main([str(PUBLISHED)])
    table, section = capsys.readouterr().out.split("\n\n")
    assert yaml.safe_load(section)["power"] == default_params["power"]
    assert "alexnet against mobilenetv2" in table
    assert len(table.splitlines()) == 3 + 6


@pytest.fixture
def written(two: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    two.write()
    return tmp_path / "data/benchmark/predictions.csv"


def test_the_class_that_is_looked_for_is_read_or_asked_for(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(written)])
    beside = capsys.readouterr().out
    (written.parent / "about.json").unlink()
    with pytest.raises(UserError, match="say which class is looked for: --positive Benign or Malignant"):
        main([str(written)])
    main([str(written), "--positive", "Malignant"])
    assert capsys.readouterr().out == beside


def test_one_network_and_impossible_levels_are_refused(
    written: Path, two: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    two.predictions[two.predictions["model"] == "alexnet"].to_csv(written, index=False)
    with pytest.raises(UserError, match="one network only"):
        main([str(written)])
    with pytest.raises(SystemExit):
        main([str(written), "--alpha", "2"])
    assert "--alpha: 2 is not between 0 and 1" in capsys.readouterr().err


def test_more_classes_need_no_positive_one(
    three: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    three.write()
    main(["data/benchmark/predictions.csv"])
    assert "power:" in capsys.readouterr().out
