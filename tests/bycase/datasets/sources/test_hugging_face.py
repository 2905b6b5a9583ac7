"""A data set of the Hugging Face Hub, which is a small server on 127.0.0.1 here."""

import io
import json
import logging
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from bycase.core.errors import UserError
from bycase.datasets.sources import hugging_face
from bycase.datasets.sources.hugging_face import download_repository
from stages.download import main
from tests.fixtures.web import COMMIT, Web

SLUG = "someone/images"
RAW = Path("data/raw/breakhis")
KEPT = Path("data/download/breakhis")
Start = Callable[[], "Popen[str]"]


def picture(shade: int, kind: str = "PNG") -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.full((4, 6, 3), shade, np.uint8)).save(content, kind)
    return content.getvalue()


def parquet(columns: dict[str, Any], features: dict[str, Any] | None = None) -> bytes:
    table = pa.table(columns)
    if features:
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    content = io.BytesIO()
    pq.write_table(table, content)
    return content.getvalue()


LABEL = {"label": {"names": ["benign", "malignant"], "_type": "ClassLabel"}, "image": {"_type": "Image"}}


@pytest.fixture
def imagefolder(web: Web) -> Web:
    web.repository = {
        ".gitattributes": b"*.png lfs",
        "README.md": b"# Images",
        "train/benign/a.png": picture(1),
        "train/metadata.csv": b"file_name,patient\nbenign/a.png,p1\n",
        "test/malignant/b c.png": picture(2),
    }
    return web


@pytest.fixture
def with_parquet(web: Web) -> Web:
    rows = [{"bytes": picture(1), "path": "a.png"}, {"bytes": picture(2, "JPEG"), "path": "../../evil.png"}]
    again = [{"bytes": picture(3), "path": "a.png"}, {"bytes": picture(4), "path": None}]
    web.repository = {
        "README.md": b"# Images",
        "data/train-00000-of-00002.parquet": parquet(
            {"image": rows, "label": [0, 1], "patient": ["p1", "p2"], "boxes": [[1, 2], [3]]}, LABEL
        ),
        "data/test-00000-of-00001.parquet": parquet({"image": again, "label": [1, 0], "patient": ["p3", "p3"]}, LABEL),
        "ages.parquet": parquet({"patient": ["p1", "p2"], "age": [50, 60]}),
    }
    return web


def test_folders_of_images_are_taken_as_they_are_and_the_commit_is_told(
    configure: Any, start_stage: Start, imagefolder: Web
) -> None:
    configure(source="huggingface", slug=SLUG)
    process = start_stage()
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (0, ""), errors
    warning, last = errors.splitlines()
    assert f"{SLUG}: the newest revision is commit {COMMIT} at present: set revision to it" in warning
    assert last.startswith("download: data/raw/breakhis: 4 files")
    assert (RAW / "test/malignant/b c.png").read_bytes() == picture(2)
    assert not list(KEPT.rglob("*.png"))


def test_a_pinned_commit_is_no_news(configure: Any, imagefolder: Web, caplog: pytest.LogCaptureFixture) -> None:
    configure(source="huggingface", slug=SLUG, revision=COMMIT, path="train")
    main()
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert {path.name for path in RAW.rglob("*.*")} == {"a.png", "metadata.csv"}


def test_images_in_parquet_become_files_with_a_table(
    configure: Any, with_parquet: Web, caplog: pytest.LogCaptureFixture
) -> None:
    configure(source="huggingface", slug=SLUG, revision=COMMIT)
    main()
    table = pd.read_csv(RAW / "metadata.csv", dtype=str, keep_default_na=False)
    place = "data/train-00000-of-00002"
    assert table["file_name"].tolist() == [
        "data/test-00000-of-00001/a.png",
        "data/test-00000-of-00001/000001.png",
        f"{place}/a.png",
        f"{place}/evil.jpg",
    ]
    assert table["label"].tolist() == ["malignant", "benign", "benign", "malignant"]
    assert table["patient"].tolist() == ["p3", "p3", "p1", "p2"]
    assert table["part"].tolist() == ["test", "test", "train", "train"]
    assert [(RAW / name).read_bytes() for name in table["file_name"]] == [
        picture(3), picture(4), picture(1), picture(2, "JPEG"),
    ]  # fmt: skip
    assert "leaves out columns that hold lists or records: boxes" in caplog.text
    # A table without images is a table.
    assert sorted(path.name for path in RAW.rglob("*.parquet")) == ["ages.parquet"]
    assert not list(Path().rglob("evil.png"))


def test_columns_of_bytes_masks_and_missing_images(configure: Any, web: Web) -> None:
    mask = [{"bytes": picture(9), "path": "a.png"}, None]
    web.repository = {"all.parquet": parquet({"scan": [picture(1), picture(2)], "mask": mask, "grade": [1, 2]})}
    configure(source="huggingface", slug=SLUG, revision=COMMIT)
    main()
    table = pd.read_csv(RAW / "metadata.csv", dtype=str, keep_default_na=False)
    assert table.to_dict("list") == {
        "file_name": ["all/000000.png", "all/000001.png"],
        "mask_file_name": ["all/a.png", ""],
        "grade": ["1", "2"],
    }


def test_archives_become_folders(configure: Any, web: Web) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as opened:
        opened.writestr("benign/a.png", picture(1))
    web.repository = {"train.zip": content.getvalue(), "metadata.csv": b"file_name\ntrain/benign/a.png\n"}
    configure(source="huggingface", slug=SLUG, revision=COMMIT)
    main()
    assert (RAW / "train/benign/a.png").read_bytes() == picture(1)


@pytest.mark.parametrize(
    ("repository", "changes", "message"),
    [
        ({"../evil.png": b"x"}, {}, r"is refused: member '\.\./evil\.png' would lie outside"),
        ({"a.png": bytes(2000)}, {"max_unpacked_gb": 1e-6}, "more than max_unpacked_gb 1e-06: raise it"),
        ({}, {}, "someone/images holds no files: correct slug or revision"),
        ({"a.png": b"x"}, {"path": "train"}, "has no file train: correct path"),
        ({"a.parquet": b"PAR1 no"}, {}, r"a\.parquet is damaged .*removed, so run again"),
        (
            {"metadata.csv": b"file_name\n", "a.parquet": parquet({"image": [{"bytes": picture(1), "path": None}]})},
            {},
            "both metadata.csv and images in a.parquet: set path",
        ),
        (
            {"a.parquet": parquet({"image": [{"bytes": b"text", "path": "a.png"}]})},
            {},
            r"a\.parquet, row 0: column image holds no image of a known kind",
        ),
        (
            {"a.parquet": parquet({"image": [{"bytes": None, "path": "../a.png"}]}, LABEL)},
            {},
            r"row 0: names image '\.\./a\.png', which the data set does not have",
        ),
        (
            {"a.parquet": parquet({"image": [{"bytes": picture(n), "path": None} for n in range(90)]})},
            {"max_unpacked_gb": 6e-6},
            "unpacks to more than allowed; raise max_unpacked_gb",
        ),
    ],
)
def test_what_is_refused_leaves_nothing(
    configure: Any, web: Web, repository: dict[str, bytes], changes: dict[str, Any], message: str
) -> None:
    web.repository = repository
    configure(source="huggingface", slug=SLUG, revision=COMMIT, **changes)
    with pytest.raises(UserError, match=message):
        main()
    assert not RAW.exists()


@pytest.mark.parametrize(
    ("slug", "revision", "refusal", "error_code", "message"),
    [
        (SLUG, None, 403, "GatedRepo", "someone/images is gated .*accept its terms on .*run again with it as HF_TOKEN"),
        ("no/such", None, None, None, "the Hub has no data set no/such, or not for you .*correct slug"),
        (SLUG, "v9", None, None, "someone/images has no revision v9: correct it"),
        (SLUG, None, 401, None, "the Hub has no data set|refuses access to someone/images"),
        (SLUG, None, 500, None, "HTTP status 500 .*try again later"),
    ],
)
def test_refusals_are_told_apart_in_one_line_without_the_token(
    tmp_path: Path,
    imagefolder: Web,
    monkeypatch: pytest.MonkeyPatch,
    slug: str,
    revision: str | None,
    refusal: int | None,
    error_code: str | None,
    message: str,
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    imagefolder.refusal, imagefolder.error_code = refusal, error_code
    with pytest.raises(UserError, match=message) as caught:
        download_repository(slug, revision, tmp_path, 1)
    assert "hf_secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert imagefolder.tokens == {"Bearer hf_secret"}


def test_a_gated_data_set_is_one_line_of_the_stage(configure: Any, start_stage: Start, imagefolder: Web) -> None:
    configure(source="huggingface", slug=SLUG)
    imagefolder.refusal, imagefolder.error_code = 401, "GatedRepo"
    process = start_stage()
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors.count("\n")) == (1, "", 1)
    assert "is gated (HF_TOKEN is not set)" in errors


def test_a_token_in_a_file_is_not_used(
    tmp_path: Path, imagefolder: Web, monkeypatch: pytest.MonkeyPatch, configure: Any, start_stage: Start
) -> None:
    (tmp_path / "token").write_text("hf_of_the_file")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    configure(source="huggingface", slug=SLUG)
    process = start_stage()
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert imagefolder.tokens == {""}


def test_without_network(tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(UserError, match=r"the Hub cannot be reached.*source: local"):
        download_repository(SLUG, None, tmp_path, 1)


def test_what_can_be_no_name_is_not_asked_for(tmp_path: Path, web: Web) -> None:
    with pytest.raises(UserError, match="'no such' is no name of a data set on the Hub: correct slug"):
        download_repository("no such", None, tmp_path, 1)
    assert web.requests == []


def test_offline_by_the_users_own_wish(tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match="HF_HUB_OFFLINE keeps the client from the Hub: unset it to download"):
        download_repository(SLUG, None, tmp_path, 1)
    assert web.requests == []


def test_a_full_disk_is_not_taken_for_a_broken_connection(
    tmp_path: Path, imagefolder: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(hugging_face, "_snapshot", fail)
    with pytest.raises(OSError, match="No space left"):
        download_repository(SLUG, COMMIT, tmp_path, 1)


def test_files_are_copied_where_there_are_no_hard_links(
    configure: Any, imagefolder: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(hugging_face.os, "link", fail)
    configure(source="huggingface", slug=SLUG, revision=COMMIT)
    main()
    assert (RAW / "train/benign/a.png").read_bytes() == picture(1)


def test_an_interrupted_download_is_continued(
    configure: Any, start_stage: Start, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = np.random.default_rng(0).bytes(13_000_000)
    web.repository = {"a.png": picture(1), "large.bin": large}
    web.breaks_after = 12_000_000
    configure(source="huggingface", slug=SLUG, revision=COMMIT)
    process = start_stage()
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert (RAW / "large.bin").read_bytes() == large
    spans = [request.split("bytes=")[1] for request in web.requests if "large.bin bytes=" in request]
    assert spans
    assert int(spans[0].split("-")[0]) > 0
