"""The layouts that can be read; each module has `ABOUT`, `FULL_IMAGES`, `read_layout` and `check_full`."""

from types import ModuleType

from bycase.datasets.layouts import breakhis, busi, ham10000

LAYOUTS: dict[str, ModuleType] = {"breakhis": breakhis, "busi": busi, "ham10000": ham10000}
