import logging
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from bycase.core.errors import UserError
from bycase.datasets.sources import archive
from stages.download import main

REPOSITORY = Path(__file__).parents[3]
RAW = Path("data/raw")


@pytest.fixture
def zipped(tmp_path: Path) -> Path:
    path = tmp_path / "breakhis.zip"
    with zipfile.ZipFile(path, "w") as opened:
        for number in range(5):
            opened.writestr(f"BreaKHis_v1/{number}.png", bytes(100_000))
    return path


def test_local_archive(configure: Any, zipped: Path, caplog: pytest.LogCaptureFixture) -> None:
    configure(source="local", path=str(zipped))
    with caplog.at_level(logging.INFO):
        main()
    assert len(list(RAW.rglob("*.png"))) == 5
    assert caplog.messages == ["data/raw/breakhis: 5 files, 0.5 MB (source: local)"]
    assert zipped.exists()


def test_local_folder(configure: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = tmp_path / "published"
    source.mkdir()
    (source / "a.png").write_bytes(b"a")
    configure(source="local", path="../published")
    with caplog.at_level(logging.INFO):
        main()
    assert (RAW / "breakhis/a.png").readlink() == source / "a.png"
    assert caplog.messages == ["data/raw/breakhis: 1 files, 0.0 MB (source: local)"]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_interrupted_extraction_leaves_nothing(
    configure: Any, zipped: Path, monkeypatch: pytest.MonkeyPatch, interruption: Any
) -> None:
    configure(source="local", path=str(zipped))
    write_exactly = archive.write_exactly

    def fail_at_third(source: Any, output: Any, member: archive.Member) -> None:
        if member.name.endswith("2.png"):
            raise interruption
        write_exactly(source, output, member)

    with monkeypatch.context() as patch:
        patch.setattr(archive, "write_exactly", fail_at_third)
        with pytest.raises((KeyboardInterrupt, OSError)):
            main()
    assert not any(RAW.iterdir())
    main()
    assert len(list(RAW.rglob("*.png"))) == 5


def test_refused_archive_leaves_nothing(configure: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("good", b"")
        opened.writestr("../evil", b"")
    configure(source="local", path=str(path))
    with pytest.raises(UserError, match="evil"):
        main()
    assert not any(RAW.iterdir())


def test_phantom(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    params = yaml.safe_load((REPOSITORY / "params.yaml").read_text(encoding="utf-8"))
    params |= {"dataset": "phantom"}
    Path("params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    asked = {}

    def write_phantom(root: Path, **settings: int) -> None:
        asked.update(settings)
        (root / "a.png").write_bytes(b"a")

    monkeypatch.setattr("bycase.datasets.phantoms.breakhis.write_phantom", write_phantom)
    main()
    size = params["datasets"]["phantom"]["phantom"]
    assert size.pop("laboratory") is None
    assert asked == size
    assert (RAW / "phantom/a.png").exists()


def test_start_imports_nothing_heavy(project: Path, start_stage: Any) -> None:
    code = "import sys, stages.download; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"tensorflow", "keras", "kaggle", "requests", "scipy", "PIL"} & set(done.stdout.split())
