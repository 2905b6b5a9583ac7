"""Generated H&E-like tiles in BreakHis' layout, for runs and tests without real data.

The images imitate what makes BreakHis hard to score honestly: the classes overlap, and every case has its own
stain, brightness and tissue, so that a classifier that has seen a case recognises it. Nothing measured on them
says anything about real tissue.
"""

from bycase.datasets.phantoms.breakhis.archive import write_phantom

__all__ = ["write_phantom"]
