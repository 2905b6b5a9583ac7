import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from bycase.core.errors import UserError
from bycase.core.files import write_json
from bycase.datasets.restructure import REPORT
from bycase.tables.splits import PROTOCOL
from stages.card import CARD, THUMBNAILS, main
from stages.download import main as download
from stages.restructure import main as restructure

WriteParams = Callable[..., None]
SMALL = {"cases": 28, "images": 40, "width": 64, "height": 64}
Prepared = Callable[..., None]


@pytest.fixture
def prepared(project: Path, write_params: WriteParams) -> Prepared:
    """``prepared("busi_phantom", "busi_phantom")`` makes a few images and restructures them; the second may be called
    another data set, whose source is then local."""

    def run(generator: str, dataset: str, **changes: Any) -> None:
        size = {f"datasets.{generator}.phantom.{key}": value for key, value in SMALL.items()}
        sides = {f"datasets.{name}.image_size": 32 for name in (generator, dataset)}
        write_params({"dataset": generator} | size | sides)
        download()
        if dataset != generator:
            Path(f"data/raw/{generator}").rename(f"data/raw/{dataset}")
            sides |= {f"datasets.{dataset}.source": "local", f"datasets.{dataset}.path": "/home/somebody/images"}
        write_params({"dataset": dataset} | size | sides | changes)
        restructure()

    return run


def headings(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("#")]


@pytest.mark.parametrize("dataset", ["busi_phantom", "ham10000_phantom"])
def test_every_heading_of_a_phantoms_card_says_so(prepared: Prepared, dataset: str) -> None:
    prepared(dataset, dataset)
    main()
    text = CARD.read_text(encoding="utf-8")
    assert len(headings(text)) == 9
    assert all(line.endswith("(phantom)") for line in headings(text))
    assert "doi" not in text
    assert "**Generated images**" in text


@pytest.mark.parametrize(
    ("depth", "highest", "words"),
    [
        (np.uint16, 4095, "4095 white (the fewest bits that hold all values)"),
        (np.float32, 1, "1 white (the range of the type)"),
    ],
)
def test_black_and_white_of_many_bits_are_said_and_nothing_is_black(
    prepared: Prepared, depth: type[np.generic], highest: int, words: str
) -> None:
    """Photographs in HAM10000's layout, of which each would be black if it were read by all of its type."""
    prepared("ham10000_phantom", "ham10000_phantom")
    for path in [path for path in Path("data/raw").rglob("ISIC_*.*") if path.suffix in (".jpg", ".png")]:
        if "segmentation" not in path.as_posix():
            pixels = np.asarray(Image.open(path).convert("RGB"))[..., ::-1]
            cv2.imwrite(str(path.with_suffix(".tif")), (pixels / 255 * highest).astype(depth))
            path.unlink()
    restructure()
    main()
    assert f"0 becomes black, {words}." in CARD.read_text(encoding="utf-8")
    means = [np.asarray(Image.open(path)).mean() for path in Path("data/restructured").rglob("*.png")]
    assert len(means) == json.loads(REPORT.read_text(encoding="utf-8"))["images"] > 30
    assert min(means) > 50


@pytest.mark.parametrize(
    ("dataset", "expected", "citation"),
    [("busi", 780, "Data in Brief 28, 104863"), ("ham10000", 10015, "Scientific Data 5, 180161")],
)
def test_card_of_published_images_names_source_licence_and_what_is_missing(
    prepared: Prepared, dataset: str, expected: int, citation: str
) -> None:
    prepared(f"{dataset}_phantom", dataset)
    main()
    text = CARD.read_text(encoding="utf-8")
    assert "phantom" not in text
    assert "somebody" not in text
    assert citation in text
    assert "- Licence: " in text
    assert f"**partial: 40 of {expected}**" in text
    assert "Not split yet." in text


def test_figure_is_where_the_card_says_and_small(prepared: Prepared) -> None:
    prepared("busi_phantom", "busi_phantom")
    main()
    target = re.search(r"!\[.*\]\((.*)\)", CARD.read_text(encoding="utf-8"))
    assert target is not None
    figure = (CARD.parent / target[1]).resolve()
    assert figure == THUMBNAILS.resolve()
    assert figure.stat().st_size < 200_000
    assert Image.open(figure).format == "PNG"


def test_counts_add_up_and_the_split_is_told(prepared: Prepared) -> None:
    prepared("ham10000_phantom", "ham10000_phantom")
    parts = {"train": 20, "val": 12, "test": 8}
    counts = {part: {"images": n, "groups": n, "cases": n, "by_class": {"nv": n}} for part, n in parts.items()}
    protocol = {"dataset": "x", "protocol": "fractions", "group": "case", "seed": 7, "magnifications": []}
    write_json(PROTOCOL, protocol | {"merged": ["a b"], "patient_disjoint": True, "counts": counts})
    main()
    text = CARD.read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) \| (\d+) \| [\d.]+% \|", text, re.MULTILINE)
    assert [name for name, _ in rows] == ["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"]
    assert sum(int(n) for _, n in rows) == SMALL["images"]
    assert "40 images in 28 groups; each group is one lesion." in text
    for line in (
        "- protocol: fractions",
        "- seed: 7",
        "- magnifications: all",
        "- merged: a b",
        "| val | 12 | 12 | 12 |",
    ):
        assert f"\n{line}\n" in text
    assert "disjoint" not in text


def test_what_was_left_out_is_counted_by_reason_and_named(prepared: Prepared) -> None:
    prepared("ham10000_phantom", "ham10000_phantom")
    report = json.loads(REPORT.read_text())
    report["rejected"] = [{"file": f"part 1/{n}.jpg", "reason": "damaged"} for n in range(12)]
    report["rejected"].append({"file": "Größe.jpg", "reason": "no row in HAM10000_metadata.csv"})
    report["rows_without_image"] = ["ISIC_0099999"]
    REPORT.write_text(json.dumps(report))
    main()
    text = CARD.read_text(encoding="utf-8")
    assert "- 13 unusable files.\n    - 12 x damaged\n    - 1 x no row in HAM10000_metadata.csv" in text
    assert "`part 1/0.jpg`" in text
    assert "and 3 more" in text
    assert "- Rows of metadata without an image: 1, including `ISIC_0099999`." in text


def test_magnifications_and_subtypes_are_counted_where_there_are_any(
    project: Path, breakhis_folder: Callable[..., dict[str, Path]], write_params: WriteParams
) -> None:
    breakhis_folder(Path("data/raw/phantom"))
    write_params({"datasets.phantom.image_size": 32})
    restructure()
    main()
    text = CARD.read_text(encoding="utf-8")
    assert re.search(r"^\| 40X \| 16 \| 50.0% \|", text, re.MULTILINE)
    assert re.search(r"^\| LC \| 4 \| 12.5% \| 2 \| 2 \| 2 \| 2 \|", text, re.MULTILINE)
    assert text.index("| 40X |") < text.index("| 200X |")


def test_two_runs_write_the_same_bytes(prepared: Prepared) -> None:
    prepared("busi_phantom", "busi_phantom")
    outputs = []
    for _ in range(2):
        main()
        outputs.append((CARD.read_bytes(), THUMBNAILS.read_bytes()))
    assert outputs[0] == outputs[1]


def test_report_of_another_data_set_is_refused(prepared: Prepared, write_params: WriteParams) -> None:
    prepared("busi_phantom", "busi_phantom")
    write_params({"dataset": "phantom"})
    with pytest.raises(UserError, match=r"describes busi_phantom, not phantom: run 'dvc repro restructure'"):
        main()
    REPORT.unlink()
    with pytest.raises(UserError, match=r"metrics/restructure\.json not found: run 'dvc repro restructure'"):
        main()
    assert not CARD.exists()


def test_command_without_a_manifest_ends_with_one_line(
    project: Path, run_stage_process: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    ended = run_stage_process("card", project)
    assert ended.returncode == 1
    assert ended.stderr == "card: error: data/manifest.csv not found: run 'dvc repro restructure' first\n"
