import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from bycase.core.errors import UserError
from bycase.datasets.sources.kaggle_archive import download, find_credentials
from stages.download import main

SLUG = "ambarish/breakhis"
ARCHIVE = Path("data/download/breakhis/ambarish/breakhis.zip")
RAW = Path("data/raw/breakhis")

Start = Callable[[], "Popen[str]"]


def make_archive() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as opened:
        opened.writestr("BreaKHis_v1/a.png", os.urandom(3_000_000))
    return content.getvalue()


def use_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", "KGAT_secret")


def use_legacy_key(home: Path) -> None:
    (home / ".kaggle").mkdir()
    (home / ".kaggle/kaggle.json").write_text('{"username": "tester", "key": "secret"}')


def check_one_line(process: "Popen[str]") -> str:
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 1
    assert output == ""
    assert errors.count("\n") == 1
    assert errors.startswith("download: error: ")
    assert "Traceback" not in errors
    assert not Path("data/raw").exists()
    return errors


def test_without_credentials(home: Path, configure: Any, start_stage: Start) -> None:
    configure()
    line = check_one_line(start_stage())
    for way in ("KAGGLE_API_TOKEN", "~/.kaggle/access_token", "kaggle.json", "kaggle auth login", "source: local"):
        assert way in line
    assert not any(home.iterdir())


@pytest.mark.parametrize("active", [False, True])
def test_refused_token(
    kaggle: Any, configure: Any, start_stage: Start, monkeypatch: pytest.MonkeyPatch, active: bool
) -> None:
    """Kaggle says at sign-in that a token has expired, or refuses it at the download."""
    configure()
    use_token(monkeypatch)
    kaggle.token_is_active = active
    kaggle.refusal = 401
    line = check_one_line(start_stage())
    assert "refuses the credentials in KAGGLE_API_TOKEN" in line
    assert "secret" not in line


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, r"refuses the credentials in .*/\.kaggle/kaggle\.json"),
        (403, rf"forbids access to {SLUG}.*accept its terms"),
        (404, rf"no data set {SLUG}.*slug in params\.yaml"),
        (503, "status 503: try again later"),
    ],
)
def test_refusals_are_told_apart(project: Path, kaggle: Any, home: Path, status: int, message: str) -> None:
    use_legacy_key(home)
    kaggle.refusal = status
    with pytest.raises(UserError, match=message):
        download(SLUG, project / "downloads")


@pytest.mark.parametrize("token", ["KGAT_secret\n", "KGAT_secret" * 30])
def test_malformed_token_is_not_shown(project: Path, kaggle: Any, monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", token)
    with pytest.raises(UserError, match="refuses the credentials in KAGGLE_API_TOKEN") as caught:
        download(SLUG, project / "downloads")
    assert "secret" not in str(caught.value)


def test_credentials_that_cannot_be_read(project: Path, kaggle: Any, home: Path) -> None:
    use_legacy_key(home)
    (home / ".kaggle/kaggle.json").write_text("{")
    with pytest.raises(UserError, match=r"credentials in .*kaggle\.json"):
        download(SLUG, project / "downloads")


@pytest.mark.parametrize("legacy", [True, False])
def test_without_network(project: Path, kaggle: Any, home: Path, monkeypatch: pytest.MonkeyPatch, legacy: bool) -> None:
    use_legacy_key(home) if legacy else use_token(monkeypatch)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with pytest.raises(UserError, match=r"cannot be reached.*source: local"):
        download(SLUG, project / "downloads")


def test_download_is_unpacked_and_removed(
    kaggle: Any, configure: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure()
    use_token(monkeypatch)
    kaggle.archive = make_archive()
    main()
    assert (RAW / "BreaKHis_v1/a.png").stat().st_size == 3_000_000
    assert not ARCHIVE.exists()
    assert capsys.readouterr() == ("", "")


def test_killed_download_continues(
    kaggle: Any, configure: Any, start_stage: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure()
    use_token(monkeypatch)
    kaggle.archive = make_archive()
    kaggle.stalls_after = 2 << 20  # the client writes 1 MiB at a time
    killed = start_stage()
    assert kaggle.stalled.wait(300)
    while not ARCHIVE.exists() or ARCHIVE.stat().st_size < 1 << 20:
        assert killed.poll() is None
    killed.kill()
    killed.communicate(timeout=300)
    assert not RAW.exists()

    begun = ARCHIVE.stat().st_size
    kaggle.stalls_after = None
    kaggle.requests.clear()
    again = start_stage()
    _, errors = again.communicate(timeout=300)
    assert again.returncode == 0, errors
    assert errors == "download: data/raw/breakhis: 1 files, 3.0 MB (source: kaggle)\n"
    assert kaggle.requests[-1] == f"GET bytes={begun}-"
    assert (RAW / "BreaKHis_v1/a.png").stat().st_size == 3_000_000


def test_damaged_download_is_removed(kaggle: Any, configure: Any, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure()
    use_legacy_key(home)
    whole = make_archive()
    kaggle.archive = whole[:1000] + b"?" + whole[1001:]
    with pytest.raises(UserError, match=r"breakhis\.zip is damaged \(.*CRC.*\).*removed, so run again"):
        main()
    assert not ARCHIVE.exists()
    assert not any(Path("data/raw").iterdir())
    kaggle.archive = whole
    main()
    assert RAW.is_dir()


def test_refused_download_is_kept(kaggle: Any, configure: Any, home: Path) -> None:
    configure(max_unpacked_gb=0.001)
    use_legacy_key(home)
    kaggle.archive = make_archive()
    with pytest.raises(UserError, match="max_unpacked_gb"):
        main()
    configure()
    kaggle.requests.clear()
    kaggle.stalls_after = 0  # nothing can be downloaded now
    main()
    assert RAW.is_dir()


def test_download_of_wrong_size_is_removed(
    project: Path, kaggle: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_legacy_key(home)
    kaggle.archive = make_archive()
    archive = download(SLUG, project / "downloads")

    def fail(*_: object, **__: object) -> None:
        raise ValueError("Downloaded file size (1) does not match expected size (2)")

    import kaggle as client

    monkeypatch.setattr(client.api, "dataset_download_files", fail)
    with pytest.raises(UserError, match=r"does not match expected size.*run again"):
        download(SLUG, project / "downloads")
    assert not archive.exists()


def test_a_fault_of_the_disk_is_no_refusal(
    project: Path, kaggle: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_legacy_key(home)

    def fail() -> None:
        raise PermissionError(13, "Permission denied", str(home / ".kaggle"))

    import kaggle as client

    monkeypatch.setattr(client.api, "authenticate", fail)
    with pytest.raises(PermissionError, match=r"\.kaggle"):
        download(SLUG, project / "downloads")


def test_credentials_are_named_in_the_order_of_the_client(tmp_path: Path) -> None:
    own = tmp_path / ".kaggle"
    assert find_credentials({}, tmp_path) is None
    shared = tmp_path / ".config/kaggle/kaggle.json"
    shared.parent.mkdir(parents=True)
    shared.touch()
    assert find_credentials({}, tmp_path) == str(shared)
    own.mkdir()
    assert find_credentials({}, tmp_path) is None
    (own / "credentials.json").touch()
    assert "kaggle auth login" in str(find_credentials({}, tmp_path))
    (own / "kaggle.json").touch()
    assert find_credentials({}, tmp_path) == str(own / "kaggle.json")
    pair = {"KAGGLE_USERNAME": "u", "KAGGLE_KEY": "k"}
    assert find_credentials(pair, tmp_path) == "KAGGLE_USERNAME and KAGGLE_KEY"
    (own / "access_token").touch()
    assert find_credentials(pair, tmp_path) == str(own / "access_token")
    assert find_credentials(pair | {"KAGGLE_API_TOKEN": "t"}, tmp_path) == "KAGGLE_API_TOKEN"
