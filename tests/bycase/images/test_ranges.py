import pytest

from bycase.images.ranges import (
    Kind,
    Origin,
    PixelRange,
    UnknownRangeError,
    UsedRange,
    Values,
    choose_range,
    in_words,
    range_of_picture,
)


@pytest.mark.parametrize(
    ("kind", "lowest", "highest", "high", "origin"),
    [
        ("8-bit", 0, 255, 255, "type"),
        ("8-bit", 0, 128, 255, "type"),
        ("8-bit", 0, 127, 255, "unknown"),  # divided by 2, or dark
        ("8-bit", 0, 1, 255, "unknown"),
        ("integer", 0, 255, 255, "bits"),
        ("integer", 0, 256, 1023, "bits"),
        ("integer", 3, 4012, 4095, "bits"),
        ("integer", 0, 4096, 16383, "bits"),
        ("integer", 0, 65535, 65535, "bits"),
        ("integer", 0, 1, 65535, "unknown"),
        ("integer", -1024, 3071, 65535, "unknown"),
        ("integer", 0, 65536, 65535, "unknown"),
        ("float", 0.0, 1.0, 1, "type"),
        ("float", 0.0, 0.7, 1, "type"),
        ("float", 0.0, 0.4, 1, "unknown"),
        ("float", 0.0, 2.5, 1, "unknown"),
        ("float", 0.0, 254.7, 255, "bits"),
        ("float", 0.0, 4095.0, 4095, "bits"),
        ("float", -1.0, 1.0, 1, "unknown"),
    ],
)
def test_a_range_is_found_or_said_to_be_unknown(
    kind: Kind, lowest: float, highest: float, high: float, origin: Origin
) -> None:
    assert choose_range(Values(kind, lowest, highest)) == UsedRange(0, high, origin)


@pytest.mark.parametrize(
    ("highest", "bits", "high", "origin"),
    [
        (900, 12, 4095, "tags"),  # the file knows more than its brightest pixel
        (100, 12, 4095, "tags"),
        (65520, 12, 65535, "bits"),  # scaled to 16 bits, as PNG wants it
        (60000, 0, 65535, "bits"),
    ],
)
def test_significant_bits_hold_where_values_are_within_them(highest: int, bits: int, high: int, origin: Origin) -> None:
    assert choose_range(Values("integer", 0, highest, bits=bits)) == UsedRange(0, high, origin)


def test_a_declared_range_holds_where_all_images_share_it() -> None:
    declared = PixelRange(0, 4000)
    first, second = Values("integer", 5, 900, declared), Values("integer", 0, 3000, declared)
    assert choose_range(first + second) == UsedRange(0, 4000, "tags")
    other = Values("integer", 0, 3000, PixelRange(0, 3001))
    assert choose_range(first + other) == UsedRange(0, 4095, "bits")
    beyond = Values("integer", 0, 4050, declared)
    assert choose_range(first + beyond) == UsedRange(0, 4095, "bits")


def test_a_choice_comes_before_all_else() -> None:
    values = Values("integer", -1000, 3000, PixelRange(-1024, 4000), images=2)
    assert choose_range(values, "type") == UsedRange(0, 65535, "type")
    assert choose_range(values, "data") == UsedRange(-1000, 3000, "data")
    assert choose_range(values, (-160, 240)) == UsedRange(-160, 240, "given")
    assert choose_range(values, "picture").pixel_range is None
    assert choose_range(Values("8-bit", 7, 7), "data") == UsedRange(7, 8, "data")


TRAINED = {"integer": UsedRange(0, 4095, "bits")}


def test_a_new_picture_is_read_as_the_training_images_were() -> None:
    assert range_of_picture(Values("integer", 0, 900), TRAINED) == PixelRange(0, 4095)
    assert range_of_picture(Values("8-bit", 0, 90), TRAINED) == PixelRange(0, 255)
    assert range_of_picture(Values("integer", 0, 60000), {"integer": UsedRange(0, 255, "given")}) == PixelRange(0, 255)
    stretched = {"integer": UsedRange(0, 4000, "picture")}
    assert range_of_picture(Values("integer", 10, 20), stretched) == PixelRange(10, 20)


def test_a_picture_of_another_device_is_refused() -> None:
    with pytest.raises(UnknownRangeError, match="pixels of 0 to 60000, where training images have 0 to 4095"):
        range_of_picture(Values("integer", 0, 60000), TRAINED)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (Values("integer", 0, 4012), None),
        (Values("integer", 0, 65535), PixelRange(0, 65535)),
        (Values("integer", 0, 4012, bits=12), PixelRange(0, 4095)),
        (Values("float", 0, 0.9), PixelRange(0, 1)),
        (Values("float", 0, 0.1), None),
        (Values("integer", 0, 300, PixelRange(0, 1000)), PixelRange(0, 1000)),
    ],
)
def test_where_training_had_none_of_its_kind_a_picture_must_say_its_range(
    values: Values, expected: PixelRange | None
) -> None:
    if expected is not None:
        assert range_of_picture(values, {}) == expected
        return
    with pytest.raises(UnknownRangeError, match="cannot be known; give --value-range"):
        range_of_picture(values, {})


def test_a_range_is_told_in_words() -> None:
    values = {"images": 84, "lowest": 0, "highest": 4012, "low": 0, "high": 4095, "origin": "bits"}
    assert in_words("integer", values) == (
        "84 images with more than 8 bits, values 0 to 4012: 0 becomes black, 4095 white "
        "(the fewest bits that hold all values)"
    )
    assert "lowest and highest value of each image" in in_words("float", values | {"origin": "picture"})
