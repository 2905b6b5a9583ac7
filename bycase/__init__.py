"""Honest comparison of networks that classify images of cancer.

For people who only need the statistics, these names are kept stable; each is loaded when it is first asked for:
`intervals`, `compare`, `check_split`, `CaseKFold`, `leakage`, `power`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bycase.api.comparison import compare
    from bycase.api.folds import CaseKFold
    from bycase.api.intervals import intervals
    from bycase.api.leakage import leakage
    from bycase.api.power import power
    from bycase.api.splits import check_split

__all__ = ["CaseKFold", "check_split", "compare", "intervals", "leakage", "power"]

_MODULES = {"compare": "comparison", "CaseKFold": "folds", "check_split": "splits"}  # of others: the name itself


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.api.{_MODULES.get(name, name)}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
