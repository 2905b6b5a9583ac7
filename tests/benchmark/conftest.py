from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

FakeStages = Callable[..., None]


@pytest.fixture
def fake_stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeStages:
    """A project whose stages are scripts of a few lines, in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", "")

    def write(**scripts: Sequence[str] | str) -> None:
        for name, script in scripts.items():
            package = tmp_path / "stages" / name
            package.mkdir(parents=True, exist_ok=True)
            lines = [script] if isinstance(script, str) else script
            (package / "__main__.py").write_text("from pathlib import Path\n" + "\n".join(lines), encoding="utf-8")

    return write
