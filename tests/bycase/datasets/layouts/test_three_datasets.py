"""One schema for all: what the stage writes for BUSI, HAM10000 and BreakHis' subtypes."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bycase.core.errors import UserError
from bycase.datasets.restructure import REPORT
from bycase.tables.manifest import COLUMNS, RESTRUCTURED, read_manifest
from stages.download import main as download
from stages.restructure import main

WriteParams = Callable[..., None]
SUBTYPES = ["A", "F", "PT", "TA", "DC", "LC", "MC", "PC"]
FEW = {"busi": {"cases": 12, "images": 16}, "ham10000": {"cases": 28, "images": 34}}


@pytest.fixture
def generated(project: Path, write_params: WriteParams) -> Callable[[str], dict[str, Any]]:
    """``generated("busi")`` writes a few generated images in that layout and the params that choose them."""

    def write(layout: str) -> dict[str, Any]:
        name = f"{layout}_phantom"
        changes: dict[str, Any] = {"dataset": name, f"datasets.{name}.image_size": 32}
        size = FEW[layout] | {"width": 64, "height": 64}
        changes |= {f"datasets.{name}.phantom.{key}": value for key, value in size.items()}
        write_params(changes)
        download()
        return changes

    return write


@pytest.mark.parametrize("layout", ["busi", "ham10000"])
def test_every_data_set_has_the_same_columns_and_one_folder_a_class(
    generated: Callable[[str], dict[str, Any]], default_params: dict[str, Any], layout: str
) -> None:
    generated(layout)
    main()
    manifest = read_manifest()
    classes = default_params["datasets"][layout]["classes"]
    assert tuple(manifest.columns) == COLUMNS
    assert len(manifest) == FEW[layout]["images"]
    assert sorted({*manifest["label"]}) == sorted(path.name for path in RESTRUCTURED.iterdir()) == sorted(classes)
    assert all((RESTRUCTURED / image).is_file() for image in manifest["image"])
    assert (manifest["group"] == manifest["case"]).all()
    assert (manifest["magnification"] == 0).all()
    report = json.loads(REPORT.read_text())
    assert (report["expected"], report["partial"], report["rejected"]) == (None, False, [])


def test_busi_keeps_masks_as_paths_of_files_that_are_there(generated: Callable[[str], dict[str, Any]]) -> None:
    generated("busi")
    folder = Path("data/raw/busi_phantom/Dataset_BUSI_with_GT/malignant")
    (folder / "malignant (2)_mask_1.png").write_bytes((folder / "malignant (2)_mask.png").read_bytes())
    main()
    manifest = read_manifest()
    place = "Dataset_BUSI_with_GT/malignant/malignant (2)_mask"
    assert manifest.set_index("case").loc["malignant (2)", "mask"] == f"{place}.png|{place}_1.png"
    assert manifest["group"].nunique() == len(manifest)
    for masks in manifest["mask"]:
        assert all((Path("data/raw/busi_phantom") / mask).is_file() for mask in masks.split("|"))
    assert not manifest["source"].str.contains("mask").any()


def test_ham10000_groups_by_lesion_and_keeps_metadata(generated: Callable[[str], dict[str, Any]]) -> None:
    generated("ham10000")
    main()
    manifest = read_manifest()
    assert manifest["group"].nunique() == FEW["ham10000"]["cases"]
    assert manifest["group"].str.match(r"HAM_\d{7}$").all()
    assert manifest["age"].str.fullmatch(r"\d*").all()
    assert set(manifest["confirmed_by"]) <= {"histo", "follow_up", "consensus", "confocal"}


def test_missing_rows_and_missing_images_are_each_named_once(
    generated: Callable[[str], dict[str, Any]], write_params: WriteParams, caplog: pytest.LogCaptureFixture
) -> None:
    changes = generated("ham10000")
    raw = Path("data/raw/ham10000_phantom")
    images = sorted(raw.rglob("*.jpg"))
    images[0].unlink()
    table = raw / "HAM10000_metadata.csv"
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join(line for line in lines if images[1].stem not in line))
    write_params(changes | {"datasets.ham10000_phantom.max_bad_share": 0.05})
    with caplog.at_level(logging.INFO):
        main()
    text = REPORT.read_text()
    report = json.loads(text)
    assert report["rows_without_image"] == [images[0].stem]
    assert report["rejected"] == [
        {"file": images[1].relative_to(raw).as_posix(), "reason": "no row in HAM10000_metadata.csv"}
    ]
    assert [text.count(path.stem) for path in images[:3]] == [1, 1, 0]
    assert caplog.messages[-1] == "1 metadata rows without an image (metrics/restructure.json)"
    assert len(read_manifest()) == len(images) - 2


def test_image_in_both_parts_is_kept_once_and_listed_as_a_copy(generated: Callable[[str], dict[str, Any]]) -> None:
    generated("ham10000")
    raw = Path("data/raw/ham10000_phantom")
    image = next((raw / "HAM10000_images_part_1").iterdir())
    (raw / "HAM10000_images_part_2" / image.name).write_bytes(image.read_bytes())
    main()
    assert len(read_manifest()) == FEW["ham10000"]["images"]
    assert [entry["file"] for entry in json.loads(REPORT.read_text())["copies"]] == [
        f"HAM10000_images_part_2/{image.name}"
    ]


@pytest.mark.parametrize("layout", ["busi", "ham10000"])
def test_kaggles_archive_must_be_the_full_one_and_a_local_folder_is_called_partial(
    generated: Callable[[str], dict[str, Any]],
    write_params: WriteParams,
    caplog: pytest.LogCaptureFixture,
    layout: str,
) -> None:
    generated(layout)
    Path(f"data/raw/{layout}_phantom").rename(f"data/raw/{layout}")
    changes = {"dataset": layout, f"datasets.{layout}.image_size": 32}
    write_params(changes)
    with pytest.raises(UserError, match=f"{layout.upper()} from Kaggle has .* are published"):
        main()
    assert not RESTRUCTURED.exists()
    write_params(changes | {f"datasets.{layout}.source": "local", f"datasets.{layout}.path": "x"})
    with caplog.at_level(logging.INFO):
        main()
    n, expected = FEW[layout]["images"], {"busi": 780, "ham10000": 10015}[layout]
    assert f"partial: {n} of {expected} images" in caplog.messages
    report = json.loads(REPORT.read_text())
    assert (report["expected"], report["partial"]) == (expected, True)


def test_breakhis_subtypes_are_the_classes_where_asked_for(
    project: Path, breakhis_folder: Callable[..., dict[str, Path]], write_params: WriteParams
) -> None:
    breakhis_folder(Path("data/raw/phantom"))
    subtype = {"datasets.phantom.task": "subtype", "datasets.phantom.image_size": 32}
    write_params(subtype)
    with pytest.raises(UserError, match=r"class A, DC, F, LC, MC, PC, PT, TA, which datasets\.<name>\.classes lacks"):
        main()
    write_params(subtype | {"datasets.phantom.classes": SUBTYPES, "datasets.phantom.positive": None})
    main()
    manifest = read_manifest()
    assert (manifest["label"] == manifest["subtype"]).all()
    assert sorted(path.name for path in RESTRUCTURED.iterdir()) == sorted(SUBTYPES)
    assert manifest["label"].value_counts().to_dict() == dict.fromkeys(SUBTYPES, 4)
