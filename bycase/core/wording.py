"""Numbers as text, the one place that writes them: values with intervals, p-values, counts, seconds, bytes, percent."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

Numbers = Mapping[str, Any]
Write = Callable[[float], str]

DASH = "\N{EN DASH}"


def share(value: float) -> str:
    """A share or score with three decimals, such as ``0.871``."""
    return f"{value:.3f}"


def signed(value: float) -> str:
    """A difference with three decimals, such as ``+0.021``."""
    return f"{value:+.3f}"


def tenths(value: float) -> str:
    """A number with one decimal, such as percentage points."""
    return f"{value:.1f}"


def hundredths(value: float) -> str:
    """A number with two decimals, such as a correlation."""
    return f"{value:.2f}"


def decimals(value: float) -> str:
    """Three decimals without a leading zero, such as ``.871``."""
    text = f"{value:.3f}"
    text = text.removeprefix("-") if float(text) == 0 else text
    return text.replace("0.", ".", 1) if abs(float(text)) < 1 else text


def plain_share(value: float) -> str:
    """As many decimals as the number has, without a leading zero; `value` lies in [0, 1)."""
    return f"{value:g}".replace("0.", ".", 1)


def percent(value: float) -> str:
    """A share as percent, such as ``90 %``."""
    return f"{100 * value:.3g} %"


def capitalise(words: str) -> str:
    """The same words, with a capital letter first."""
    return words[:1].upper() + words[1:]


def count(value: float) -> str:
    """A whole number in groups of three digits, such as ``7,909``."""
    return f"{value:,.0f}"


def plural(number: int, noun: str) -> str:
    """A count with its noun, such as ``1 patient`` or ``1,200 patients``."""
    return f"{count(number)} {noun}{'s' * (number != 1)}"


def clusters_of(numbers: Numbers) -> str:
    """What intervals are over: patients, or images where the ``note`` of `numbers` says that patients are unknown."""
    return "images" if "note" in numbers else "patients"


def sample_words(n_images: int, numbers: Numbers, noun: str = "image") -> str:
    """Such as ``501 images of 407 patients``; ``501 images, patients unknown`` where `numbers` have a ``note``."""
    images = plural(n_images, noun)
    if "note" in numbers:
        return f"{images}, patients unknown"
    return f"{images} of {plural(numbers['n_patients'], 'patient')}"


def seconds(value: float) -> str:
    """A duration, such as ``2 min 28 s``."""
    if value < 120:
        return f"{value:.3g} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def p_value(value: float | None) -> str:
    """Such as ``0.021`` or ``< 0.001``; a dash where it is not defined."""
    if value is None:
        return DASH
    return "< 0.001" if value < 0.001 else share(value)


def p_equals(value: float) -> str:
    """Such as ``p = .021`` or ``p < .001``."""
    return "p < .001" if value < 0.001 else f"p = {decimals(value)}"


def interval(limits: Mapping[str, float], write: Write = share) -> str:
    """The ends of an interval, such as ``0.784 to 0.936``.

    Parameters
    ----------
    limits : mapping
        With ``low`` and ``high``.
    write : callable
        Number to text: `share`, `decimals`, `signed`, `tenths`.
    """
    return f"{write(limits['low'])} to {write(limits['high'])}"


def value_with_interval(value: float, limits: Mapping[str, float], write: Write = share, name: str = "") -> str:
    """Such as ``0.871 (0.784 to 0.936)``; with ``95 % CI`` as `name`, ``0.871 (95 % CI 0.784 to 0.936)``."""
    return f"{write(value)} ({f'{name} ' if name else ''}{interval(limits, write)})"


def metric_with_interval(level: Numbers, metric: str, write: Write = share, name: str = "") -> str:
    """A metric of `level` with its interval from ``level["ci"]``, see `value_with_interval`.

    Without the interval where there is none; a dash where the metric is missing.
    """
    if level.get(metric) is None:
        return DASH
    limits = level.get("ci", {}).get(metric)
    return value_with_interval(level[metric], limits, write, name) if limits else write(level[metric])


def error_with_test(level: Numbers) -> str:
    """The calibration error beside what calibrated predictions would show, such as ``0.082 (0.045, p = .030)``.

    A dash where it is missing, the error alone where it was not tested.
    """
    if level.get("ece") is None:
        return DASH
    error = share(level["ece"])
    return f"{error} ({share(level['ece_expected'])}, {p_equals(level['ece_p'])})" if "ece_p" in level else error


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[Any]], numbers: bool = False) -> str:
    """A Markdown table, its last line not ended; `numbers` sets all columns but the first to the right."""
    rule = ["---", *["---:" if numbers else "---"] * (len(header) - 1)]
    return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in (header, rule, *rows))
