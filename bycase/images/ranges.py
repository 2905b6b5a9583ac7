"""Which values become black and white: 12 bits in a 16-bit file, or [0, 1] as floating point, use little of their type.

One range serves all images of a data set, so that a dark image stays dark; the classifier carries it to new images.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal["8-bit", "integer", "float"]
# How a range came about; `unknown`: nothing says it, and that of the type stands in.
Origin = Literal["type", "tags", "bits", "given", "data", "picture", "unknown"]
Choice = Literal["type", "data", "picture"] | tuple[float, float] | None  # `datasets.<name>.value_range`

BITS = (8, 10, 12, 14, 16)
# Images of which not one uses more than half of 8 bits may be dark, and their values may have been divided.
HALF = 127
ORIGINS: dict[str, str] = {
    "type": "the range of the type",
    "tags": "as the files say",
    "bits": "the fewest bits that hold all values",
    "given": "value_range",
    "data": "lowest and highest value of all images",
    "picture": "lowest and highest value of each image",
    "unknown": "not known",
}


@dataclass(frozen=True)
class PixelRange:
    """What becomes black (`low`) and white (`high`); what lies outside is cut off."""

    low: float = 0
    high: float = 255


TYPE_RANGES: dict[str, PixelRange] = {
    "8-bit": PixelRange(0, 255),
    "integer": PixelRange(0, 65535),
    "float": PixelRange(0, 1),
}


@dataclass(frozen=True)
class Values:
    """The values of one or more images of a kind.

    Attributes
    ----------
    kind : {'8-bit', 'integer', 'float'}
        ``integer``: of more than 8 bits.
    lowest, highest : float
        Among all pixels and channels.
    declared : PixelRange or None
        As the file says, such as by TIFF's SMaxSampleValue; of several images, where all say the same.
    bits : int
        Significant bits, as PNG's sBIT has them; 0 where nothing is said. Of several images, the most.
    images : int
        How many.
    """

    kind: Kind
    lowest: float
    highest: float
    declared: PixelRange | None = None
    bits: int = 0
    images: int = 1

    def __add__(self, other: "Values") -> "Values":
        declared = self.declared if self.declared == other.declared else None
        return Values(
            self.kind,
            min(self.lowest, other.lowest),
            max(self.highest, other.highest),
            declared,
            max(self.bits, other.bits),
            self.images + other.images,
        )


@dataclass(frozen=True)
class UsedRange:
    """The range by which images of a kind are read, and how it came about."""

    low: float
    high: float
    origin: Origin

    @property
    def pixel_range(self) -> PixelRange | None:
        """None: that of each picture."""
        return None if self.origin == "picture" else PixelRange(self.low, self.high)


def choose_range(values: Values, choice: Choice = None) -> UsedRange:
    """The range of all images of one kind.

    Parameters
    ----------
    values : Values
        Of all of them.
    choice : {'type', 'data', 'picture'}, (low, high) or None
        As a person has chosen it. None: as the files say; else that of the type where it is used, and the fewest bits
        that hold all values.

    Returns
    -------
    UsedRange
        Its origin is ``unknown`` where nothing tells the range: values below 0 or above 16 bits, and images of which
        none is brighter than half of 8 bits, or than half of floating point's [0, 1].
    """
    standard = TYPE_RANGES[values.kind]
    if choice == "type":
        return UsedRange(standard.low, standard.high, "type")
    if choice == "data" or choice == "picture":
        own = own_range(values)
        return UsedRange(own.low, own.high, choice)
    if choice is not None:
        return UsedRange(*choice, "given")
    if values.declared and values.declared.low <= values.lowest and values.highest <= values.declared.high:
        return UsedRange(values.declared.low, values.declared.high, "tags")
    return _find_range(values, standard)


def own_range(values: Values) -> PixelRange:
    """From the lowest to the highest value; of one value only, that is black."""
    return PixelRange(values.lowest, values.lowest + ((values.highest - values.lowest) or 1))


def _find_range(values: Values, standard: PixelRange) -> UsedRange:
    unknown = UsedRange(standard.low, standard.high, "unknown")
    if values.kind == "float" and values.lowest >= 0 and standard.high / 2 < values.highest <= standard.high:
        return UsedRange(0, 1, "type")
    if values.lowest < 0 or not HALF < values.highest <= 2**16 - 1:
        # Significant bits that a file names hold for dark pictures too.
        return UsedRange(0, 2**values.bits - 1, "tags") if _within(values) else unknown
    if values.kind == "8-bit":
        return UsedRange(0, 255, "type")
    # PNG has values of fewer significant bits scaled to all 16; where they are, they exceed these bits.
    if _within(values):
        return UsedRange(0, 2**values.bits - 1, "tags")
    return UsedRange(0, next(high for bits in BITS if (high := 2**bits - 1) >= values.highest), "bits")


def _within(values: Values) -> bool:
    return values.bits > 0 and values.lowest >= 0 and values.highest <= 2**values.bits - 1


def describe_ranges(tallies: Mapping[str, Values], ranges: Mapping[str, UsedRange]) -> dict[str, dict[str, Any]]:
    """By kind: ``images``, ``lowest``, ``highest``, ``low``, ``high`` and ``origin``, for reports."""
    return {
        kind: {"images": tally.images, "lowest": tally.lowest, "highest": tally.highest} | asdict(ranges[kind])
        for kind, tally in tallies.items()
    }


def in_words(kind: str, values: Mapping[str, Any]) -> str:
    """One entry of `describe_ranges` in words."""
    what = "with more than 8 bits" if kind == "integer" else f"of {'floating point' if kind == 'float' else '8 bits'}"
    scaled = f"{values['low']:g} becomes black, {values['high']:g} white"
    said = ORIGINS[values["origin"]]
    return f"{values['images']} images {what}, values {values['lowest']:g} to {values['highest']:g}: " + (
        f"black and white are {said}" if values["origin"] == "picture" else f"{scaled} ({said})"
    )


class UnknownRangeError(ValueError):
    """What is black and white in a picture cannot be known."""


def range_of_picture(values: Values, known: Mapping[str, UsedRange]) -> PixelRange:
    """The range of one new picture, as the classifier's training images were read.

    Parameters
    ----------
    values : Values
        Of the picture.
    known : mapping of kind to UsedRange
        Of the training images.

    Raises
    ------
    UnknownRangeError
        If it has values that no training image could have, or is of another kind and does not say its range.
    """
    used = known.get(values.kind)
    if used is None:
        if values.kind == "8-bit":
            return TYPE_RANGES["8-bit"]
        used = choose_range(values)
        if used.origin == "unknown" or (used.origin == "bits" and used.high < TYPE_RANGES["integer"].high):
            raise UnknownRangeError(
                f"{_kind_words(values.kind)} pixels of {values.lowest:g} to {values.highest:g}: what is white cannot "
                "be known; give --value-range LOW,HIGH, or save it with 8 bits"
            )
    elif used.origin == "picture":
        return own_range(values)
    # A range that a person chose cuts off on purpose.
    elif used.origin in ("tags", "bits", "type") and not used.low <= values.lowest <= values.highest <= used.high:
        raise UnknownRangeError(
            f"{_kind_words(values.kind)} pixels of {values.lowest:g} to {values.highest:g}, where training images have "
            f"{used.low:g} to {used.high:g}; give --value-range LOW,HIGH, or save it with 8 bits"
        )
    return PixelRange(used.low, used.high)


def _kind_words(kind: str) -> str:
    return {"integer": "16- or 32-bit", "float": "floating-point"}.get(kind, kind)
