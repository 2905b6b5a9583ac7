"""What the user says of a table of predictions."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """What the user said of a table; None or empty: to be found."""

    image: str | None = None
    label: str | None = None
    patient: str | None = None
    part: str | None = None
    fold: str | None = None
    predicted: str | None = None
    score: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    positive: str | None = None
    logits: bool = False
    subgroup: tuple[str, ...] = ()
    test: str | None = None
    validation: str | None = None
