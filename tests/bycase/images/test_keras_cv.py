"""keras-cv is finished upstream: one module of the product uses it, which is all that its end would cost."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def importers(*folders: str) -> list[str]:
    pattern = re.compile(r"^\s*(?:import|from) keras_cv\b", re.MULTILINE)
    files = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(str(path.relative_to(ROOT)) for path in files if pattern.search(path.read_text(encoding="utf-8")))


def test_one_module_of_the_product_imports_keras_cv() -> None:
    assert importers("bycase", "stages") == ["bycase/images/augmentation/rand_augment.py"]


def test_an_import_elsewhere_is_seen() -> None:
    assert "tests/bycase/images/augmentation/test_rand_augment.py" in importers("tests")
