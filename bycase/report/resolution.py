"""What the patients of a comparison resolve, as it was assumed before and as the networks' predictions show it."""

from collections.abc import Iterator

from bycase.core.wording import DASH, Numbers, count, hundredths, tenths
from bycase.report.blocks import Block, Section, Table, Text
from bycase.statistics.power.resolution import METRICS, SCENARIOS

HEADER = (
    "",
    "accuracy, points",
    "between networks",
    "between a patient's images",
    "AUC, points",
    "between networks",
    "between a patient's images",
)
PAIRS = {"optimistic": "smallest standard error", "middle": "median", "pessimistic": "largest standard error"}


def resolution_section(measured: Numbers, power: Numbers | None = None) -> Section:
    """The smallest differences that are found, and the correlations that they follow from.

    Parameters
    ----------
    measured : mapping
        See `bycase.statistics.comparison.correlations.measure_resolution`.
    power : mapping, optional
        ``metrics/power.json`` of the same data.
    """
    rows = [*_assumed(power), *_measured(measured)] if power else [*_measured(measured)]
    caption = (
        f"Smallest difference between two networks, in points, that is found with a power of {measured['power']:.0%} "
        f"by a single two-sided test at alpha {measured['alpha']:g}, and the correlations of the difference. Measured: "
        "over the pairs of networks, from standard errors by patient. none: not even a perfect network."
    )
    words = "The assumptions stand in params.yaml, section power; what was measured can take their place next time."
    blocks: list[Block] = [Table(caption, HEADER, rows), *([Text(words)] if power else [])]
    return Section("resolution", "What these patients resolve", blocks)


def _assumed(power: Numbers) -> Iterator[tuple[str, ...]]:
    assumed, everyone = power["assumptions"], power["all"]
    for number, name in enumerate(SCENARIOS):
        cells = [
            cell
            for metric in METRICS
            for cell in (
                _points(everyone[name][f"{metric}_points"]),
                *(hundredths(assumed[key][metric][number]) for key in ("model_correlation", "patient_correlation")),
            )
        ]
        yield (f"assumed, {name} ({count(everyone['n_patients'])} patients)", *cells)


def _measured(measured: Numbers) -> Iterator[tuple[str, ...]]:
    for name, words in PAIRS.items():
        cells = []
        for metric in METRICS:
            found = measured["scenarios"].get(metric, {}).get(name)
            cells += (
                [
                    tenths(found["points"]),
                    hundredths(found["model_correlation"]),
                    hundredths(found["patient_correlation"]),
                ]
                if found
                else [DASH] * 3
            )
        yield (f"measured, {words}", *cells)


def _points(points: float | None) -> str:
    return "none" if points is None else tenths(points)
