from pathlib import Path

import pytest

from bycase.core.closure import EXEMPT, ROOT, import_closure

FILES = {
    "stages/train.py": "from bycase.a import one\n\ndef main():\n    import bycase.b.lazy\n",
    "bycase/__init__.py": '"""Words alone."""\n',
    "bycase/a.py": "from bycase.b import two\nimport numpy\n",
    "bycase/b/__init__.py": "from bycase.b.two import two\n",
    "bycase/b/two.py": "two = 2\n",
    "bycase/b/lazy.py": "PROGRAM = 'bycase.program'\n",
    "bycase/program.py": "from pathlib import Path\nFOLDER = Path(__file__).parent / 'templates'\n",
    "bycase/templates/page.html": "<p>",
    "bycase/unused.py": "import bycase.a\n",
    "bycase/core/errors.py": "",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def names(root: Path) -> set[str]:
    return {path.as_posix() for path in import_closure(["stages.train"], root)}


def test_all_that_is_imported_run_or_read_counts(root: Path) -> None:
    assert names(root) == {
        "stages/train.py",
        "bycase/a.py",
        "bycase/b/__init__.py",
        "bycase/b/two.py",
        "bycase/b/lazy.py",
        "bycase/program.py",
        "bycase/templates/page.html",
    }


def test_a_new_import_counts_and_an_exempt_file_does_not(root: Path) -> None:
    (root / "bycase/b/two.py").write_text("import bycase.unused\nfrom bycase.core import errors\n", encoding="utf-8")
    assert "bycase/unused.py" in names(root)
    assert "bycase/core/errors.py" not in names(root)


def test_an_unknown_module_is_named(root: Path) -> None:
    with pytest.raises(ValueError, match=r"no module stages\.tarin below"):
        import_closure(["stages.tarin"], root)


def test_every_exemption_is_of_a_file() -> None:
    assert [name for name in EXEMPT if not (ROOT / name).is_file()] == []
