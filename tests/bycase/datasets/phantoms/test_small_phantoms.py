"""The phantoms of BUSI's and HAM10000's layouts."""

import hashlib
import importlib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image

from bycase.core.errors import UserError
from bycase.datasets.phantoms import busi as phantom_busi
from bycase.datasets.phantoms import ham10000 as phantom_ham10000
from bycase.datasets.phantoms.shapes import depth_inside, share_out, smooth_noise
from stages.download import main

BUSI: dict[str, Any] = {"cases": 20, "images": 30, "width": 96, "height": 80, "seed": 3}
HAM: dict[str, Any] = {"cases": 30, "images": 44, "width": 80, "height": 64, "seed": 3}
MAKERS = [(phantom_busi, BUSI), (phantom_ham10000, HAM)]


@pytest.fixture(scope="module")
def busi(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("busi")
    phantom_busi.write_phantom(root, **BUSI)
    return root / "Dataset_BUSI_with_GT"


@pytest.fixture(scope="module")
def ham(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ham")
    phantom_ham10000.write_phantom(root, **HAM)
    return root


def pixels(path: Path) -> NDArray[np.uint8]:
    return np.asarray(Image.open(path))


def digests(root: Path) -> dict[str, str]:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize(("maker", "size"), MAKERS)
def test_same_seed_gives_the_same_bytes_and_another_one_others(
    tmp_path: Path, maker: Any, size: dict[str, Any]
) -> None:
    written = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        (tmp_path / name).mkdir()
        maker.write_phantom(tmp_path / name, **size | {"seed": seed})
        written.append(digests(tmp_path / name))
    assert written[0] == written[1]
    assert not set(written[0].values()) & {
        digest for name, digest in written[2].items() if "mask" not in name and name.endswith((".png", ".jpg"))
    }


def test_busi_has_its_classes_masks_and_exactly_one_duplicate(busi: Path) -> None:
    images = [path for path in busi.rglob("*.png") if "mask" not in path.name]
    assert len(images) == BUSI["images"]
    assert {path.parent.name for path in images} == {"benign", "malignant", "normal"}
    assert {pixels(path).shape for path in images} == {(80, 96, 3)}
    counted = Counter(pixels(path).tobytes() for path in images)
    assert sorted(counted.values())[-2:] == [1, 2]
    last = max(int(path.stem.split("(")[1][:-1]) for path in images if path.parent.name == "benign")
    assert (pixels(busi / "benign/benign (1).png") == pixels(busi / f"benign/benign ({last}).png")).all()


def test_busi_lesions_are_darker_than_what_surrounds_them_and_normal_images_have_none(busi: Path) -> None:
    for path in busi.rglob("*_mask.png"):
        mask = pixels(path)
        assert set(np.unique(mask)) <= {0, 255}
        image = pixels(path.with_name(path.name.replace("_mask", "")))[..., 0]
        if path.parent.name == "normal":
            assert not mask.any()
        else:
            assert 0.003 < (mask > 0).mean() < 0.3
            assert image[mask > 0].mean() < image[mask == 0].mean()
    assert list(busi.rglob("*_mask_1.png"))


def test_ham10000_metadata_and_images_name_each_other(ham: Path) -> None:
    table = pd.read_csv(ham / "HAM10000_metadata.csv")
    assert list(table.columns) == ["lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization"]
    assert sorted(table["image_id"]) == sorted(path.stem for path in ham.rglob("*.jpg"))
    assert [len(list((ham / f"HAM10000_images_part_{part}").iterdir())) for part in (1, 2)] == [22, 22]
    assert table["lesion_id"].nunique() == HAM["cases"]
    assert len(table.drop(columns="image_id").drop_duplicates()) == HAM["cases"]
    assert table["lesion_id"].value_counts().max() > 1
    assert (table.drop_duplicates("lesion_id")["dx"].value_counts() >= 4).all()
    assert table["dx"].nunique() == 7


def test_ham10000_photographs_of_a_lesion_differ_but_less_than_lesions_do(ham: Path) -> None:
    table = pd.read_csv(ham / "HAM10000_metadata.csv")
    colour = {path.stem: pixels(path).reshape(-1, 3).mean(axis=0) for path in ham.rglob("*.jpg")}
    means = pd.DataFrame([colour[image] for image in table["image_id"]])
    within = (means - means.groupby(table["lesion_id"]).transform("mean")).to_numpy()
    assert 0.1 < within.std() < 0.7 * (means - means.mean()).to_numpy().std()
    assert len({path.read_bytes() for path in ham.rglob("*.jpg")}) == HAM["images"]
    # A turned square covers the view: no black corner.
    assert min(pixels(path)[[0, 0, -1, -1], [0, -1, 0, -1]].min() for path in ham.rglob("*.jpg")) > 40


def test_photographs_are_turned() -> None:
    skin = np.zeros((136, 136, 3))
    skin[:, 68:] = 1
    seen = [phantom_ham10000.photograph(skin, f"ISIC_{n}", 80, 64, 3)[..., 0].ravel() for n in range(6)]
    assert np.corrcoef(seen).min() < 0.5


@pytest.mark.parametrize(
    ("maker", "size", "says"),
    [
        (phantom_busi, BUSI | {"cases": 11}, "11 is too few for 3 classes of at least 4"),
        (phantom_busi, BUSI | {"images": 20}, "20 images are too few for 20 cases and a duplicate"),
        (phantom_ham10000, HAM | {"cases": 27}, "27 is too few for 7 classes of at least 4"),
        (phantom_ham10000, HAM | {"images": 29}, "29 images are too few for 30 cases"),
    ],
)
def test_too_few_cases_or_images_are_refused(tmp_path: Path, maker: Any, size: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says):
        maker.write_phantom(tmp_path, **size)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("layout", ["breakhis", "busi", "ham10000"])
def test_stage_asks_the_generator_of_the_layout(
    project: Path, monkeypatch: pytest.MonkeyPatch, default_params: dict[str, Any], layout: str
) -> None:
    dataset = "phantom" if layout == "breakhis" else f"{layout}_phantom"
    text = (
        (Path(__file__).parents[4] / "params.yaml").read_text().replace("\ndataset: phantom", f"\ndataset: {dataset}")
    )
    (project / "params.yaml").write_text(text)
    asked: list[dict[str, int]] = []

    def write_phantom(root: Path, **size: int) -> None:
        asked.append(size)

    monkeypatch.setattr(importlib.import_module(f"bycase.datasets.phantoms.{layout}"), "write_phantom", write_phantom)
    main()
    size = dict(default_params["datasets"][dataset]["phantom"])
    assert size.pop("laboratory") is None  # BreakHis' generator alone knows another one
    assert asked == [size]


@pytest.mark.parametrize(("total", "weights"), [(10, [1, 1]), (100, [437, 210, 133]), (28, [1, 2, 3, 4, 5, 6, 7])])
def test_shares_sum_to_the_whole_and_none_is_below_the_least(total: int, weights: list[float]) -> None:
    shares = share_out(total, weights, 4)
    assert sum(shares) == total
    assert min(shares) >= 4


@pytest.mark.parametrize("scale", [0.5, 3, 40])
def test_noise_is_standard_whatever_its_scale(scale: float) -> None:
    noise = smooth_noise(np.random.default_rng(0), (50, 70), scale)
    assert noise.shape == (50, 70)
    assert (noise.mean(), noise.std()) == (pytest.approx(0, abs=1e-9), pytest.approx(1))


def test_outline_without_roughness_is_an_ellipse() -> None:
    inside = depth_inside(np.random.default_rng(0), (101, 101), (50, 50), (20, 40), 0)
    assert inside[50, 50] == 1
    assert inside[[30, 70, 50, 50], [50, 50, 10, 90]] == pytest.approx(0)
    assert (inside > 0).mean() == pytest.approx(np.pi * 20 * 40 / 101**2, rel=0.02)
