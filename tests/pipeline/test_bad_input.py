"""A user's mistakes, through `dvc`: one line from the stage, exit code not 0, no traceback, nothing half-written."""

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.conftest import Project, clone, stage_error


@pytest.fixture(scope="module")
def cloned(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return clone(tmp_path_factory.mktemp("bad") / "clone")


@pytest.fixture
def untouched(cloned: Project) -> Iterator[Project]:
    """A clone with its own parameters, and with them again afterwards."""
    yield cloned
    cloned.run("git", "checkout", "--quiet", ".")


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("model", "resnet18", "unknown model 'resnet18'; choose one of: alexnet, convnext, densenet121, dinov2"),
        (
            "dataset",
            "camelyon",
            "unknown dataset 'camelyon'; choose one of: breakhis, breakhis_phantom_b, busi, busi_phantom, ham10000",
        ),
        ("split.group", "patient", "split.group: Input should be 'case', 'folder' or 'image'"),
        ("zoo.resnet50v2.learning_rate", 0, "zoo.resnet50v2.learning_rate: Input should be greater than 0"),
        (
            "train.class_weights",
            "balanced",
            "unknown key 'train.class_weights'; valid keys there: batch_norm_momentum",
        ),
    ],
)
def test_a_bad_parameter_is_named_with_the_valid_choices(
    untouched: Project, key: str, value: object, says: str
) -> None:
    untouched.set_params(**{key: value})
    assert says in stage_error(untouched, "dvc", "repro")


@pytest.mark.parametrize("make", ["empty", "missing", "one_class", "truncated"])
def test_bad_local_data_is_named(fresh: Project, make: str) -> None:
    source = fresh.folder.parent / "images"
    if make != "missing":
        source.mkdir()
    if make in ("one_class", "truncated"):
        fresh.run("python", "-m", "stages.download")
        shutil.copytree(fresh.folder / "data/raw/phantom", source, dirs_exist_ok=True)
    if make == "one_class":
        shutil.rmtree(next(source.rglob("benign")))
    if make == "truncated":
        for path in sorted(source.rglob("*.png"))[:5]:
            path.chmod(0o644)
            path.write_bytes(path.read_bytes()[:300])
    changes = {"dataset": "breakhis", "datasets.breakhis.source": "local", "datasets.breakhis.path": "../images"}
    fresh.set_params(**changes, **{"datasets.breakhis.image_size": 32})
    message = stage_error(fresh, "dvc", "repro", "split")
    expected = {
        "empty": "has no files",
        "missing": "images not found",
        "one_class": "holds no image of class Benign",
        "truncated": "5 files (3.9%) cannot be used",
    }
    assert expected[make] in message
    assert not (fresh.folder / "data/restructured").exists()
    assert not (fresh.folder / "data/manifest.csv").exists()


def test_an_archive_that_climbs_out_is_refused(fresh: Project) -> None:
    archive = fresh.folder.parent / "evil.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("BreaKHis_v1/a.png", b"x")
        file.writestr("../escaped.png", b"x")
    changes = {"dataset": "breakhis", "datasets.breakhis.source": "local", "datasets.breakhis.path": str(archive)}
    fresh.set_params(**changes)
    assert "../escaped.png" in stage_error(fresh, "dvc", "repro", "download")
    assert not (fresh.folder / "data/raw/breakhis").exists()
    assert not (fresh.folder.parent / "escaped.png").exists()
    assert not (fresh.folder / "data/escaped.png").exists()


def test_no_kaggle_credentials_names_the_three_ways(untouched: Project, tmp_path: Path) -> None:
    untouched.set_params(dataset="breakhis")
    command = ["env", "-u", "KAGGLE_USERNAME", "-u", "KAGGLE_KEY", "-u", "KAGGLE_API_TOKEN"]
    message = stage_error(untouched, *command, f"HOME={tmp_path}", "dvc", "repro", "download")
    for way in ("KAGGLE_API_TOKEN", "kaggle.json", "kaggle auth login"):
        assert way in message


def test_fewer_groups_than_parts_are_named(fresh: Project) -> None:
    fresh.set_params(**{"datasets.phantom.phantom.cases": 8, "datasets.phantom.phantom.images": 32})
    fresh.dvc("repro", "restructure")
    manifest = fresh.folder / "data/manifest.csv"
    header, *rows = manifest.read_text(encoding="utf-8").splitlines()
    few = [row for row in rows if not row.startswith("Benign") or ",A," in row]
    manifest.chmod(0o644)
    manifest.unlink()
    manifest.write_text("\n".join([header, *few]) + "\n", encoding="utf-8")
    fresh.run(
        "python",
        "-c",
        "import pandas as pd; from bycase.datasets.duplicates import COLUMNS, write_duplicates; "
        "write_duplicates(pd.DataFrame(columns=list(COLUMNS)))",
    )
    assert "class Benign has 1 cases, fewer than the 3 parts" in stage_error(fresh, "python", "-m", "stages.split")
