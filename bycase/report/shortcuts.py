"""What a network could tell the classes by without looking at tissue: light, size and format of the files.

DeGrave, A. J., Janizek, J. D. and Lee, S.-I. (2021). AI for radiographic COVID-19 detection selects shortcuts over
signal. Nature Machine Intelligence 3, 610-619.
"""

from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from bycase.statistics.bounds import perfect_ranking_bound
from bycase.statistics.influence import auc_influence
from bycase.statistics.intervals import influence_interval, no_surer
from bycase.statistics.units import BinaryUnits, Floats
from bycase.tables.manifest import more_columns

PROPERTIES = ("brightness", "size", "format")  # contrast is left out: tissue differs in it
FORMATS = {"jpeg": "jpg", "tiff": "tif"}
STRONG = 0.7  # AUC from which a property is called a shortcut, where its interval excludes 0.5
MOST_SOURCES = 10  # values of a column for which light is shown one by one


def describe_images(manifest: pd.DataFrame, sums: NDArray[np.float64]) -> pd.DataFrame:
    """Of every image: `PROPERTIES`, contrast, ``label``, ``group`` and the columns that may tell its source.

    Parameters
    ----------
    manifest : DataFrame
        See `bycase.tables.manifest`.
    sums : ndarray of shape (n_images, 2, 3)
        See `bycase.report.data_colours.colour_sums`.

    Returns
    -------
    DataFrame
        ``brightness`` is the mean over pixels and channels, ``contrast`` the standard deviation over pixels, both in
        [0, 255]; ``size`` counts the published image's pixels; ``format`` is the published file's suffix.
    """
    spread = np.maximum(sums[:, 1] - sums[:, 0] ** 2, 0)  # of one colour, rounding may leave it below 0
    suffixes = [PurePosixPath(source).suffix.lower().lstrip(".") for source in manifest["source"]]
    sources = [name for name in ("magnification", *more_columns(manifest)) if _few(manifest[name])]
    return manifest[["label", "group", *sources]].assign(
        brightness=sums[:, 0].mean(axis=1),
        contrast=np.sqrt(spread.mean(axis=1)),
        size=manifest["width"] * manifest["height"],
        format=[FORMATS.get(suffix, suffix) for suffix in suffixes],
    )


def light_by_source(images: pd.DataFrame) -> pd.DataFrame:
    """Quantiles of brightness and contrast by class, format and whatever else tells an image's source.

    Parameters
    ----------
    images : DataFrame
        See `describe_images`.

    Returns
    -------
    DataFrame with the columns ``by``, ``value``, ``images``, ``brightness``, ``contrast``
        The last two are tuples of the 5, 50 and 95 % quantiles. A column of one value has no row.
    """
    columns = [
        "label",
        "format",
        *(str(name) for name in images.columns if name not in ("label", "group", "contrast", *PROPERTIES)),
    ]
    rows = []
    for column in columns:
        if column != "label" and images[column].nunique() < 2:
            continue
        for value, members in images.groupby(column):
            row: dict[str, Any] = {
                "by": "class" if column == "label" else column,
                "value": str(value),
                "images": len(members),
            }
            quantiles = members[["brightness", "contrast"]].quantile([0.05, 0.5, 0.95])
            rows.append(row | {name: tuple(quantiles[name].tolist()) for name in quantiles})
    return pd.DataFrame(rows)


def measure_shortcuts(images: pd.DataFrame, positive: str | None) -> pd.DataFrame:
    """The AUC that each property alone reaches by case.

    Parameters
    ----------
    images : DataFrame
        See `describe_images`.
    positive : str or None
        The class that is told from the rest; None: of each property, the class that it tells best.

    Returns
    -------
    DataFrame with the columns ``property``, ``class``, ``auc``, ``ci``, ``shortcut``
        The AUC in the better direction and ``ci``, its 95 % interval (``low``, ``high``): of a case, numbers are means
        over its images of a class, and the format is the share of the class among cases with files of that format.
        ``shortcut`` says whether the AUC is at least `STRONG` and the interval excludes 0.5. A property of one value
        has no row.
    """
    classes = [positive] if positive is not None else sorted(set(images["label"]))
    rows = []
    for name in PROPERTIES:
        if len(images[name].unique()) > 1:
            each = [_measure(images, name, label) | {"property": name, "class": label} for label in classes]
            rows.append(max(each, key=lambda row: row["auc"]))
    return pd.DataFrame(rows, columns=["property", "class", "auc", "ci", "shortcut"])


def _measure(images: pd.DataFrame, name: str, label: str) -> dict[str, Any]:
    values = images[name]
    if name == "format":
        cases = images.drop_duplicates(["group", "label", "format"])
        values = values.map((cases["label"] == label).groupby(cases["format"]).mean())
    cases = values.groupby([images["group"], images["label"]]).mean().reset_index()
    truth = (cases["label"] == label).to_numpy(bool)
    scores: Floats = rankdata(cases[name]) / len(cases)
    patient = pd.factorize(cases["group"])[0].astype(np.int64)
    units = BinaryUnits(truth, scores, patient)
    if auc_influence(units).estimate < 0.5:
        units = BinaryUnits(truth, 1 - scores, patient)
    influence = auc_influence(units)
    perfect = perfect_ranking_bound(*units.shares_of_patients)
    ends = no_surer(influence_interval(influence, perfect), perfect)
    return {"auc": influence.estimate, "ci": ends, "shortcut": influence.estimate >= STRONG and ends["low"] > 0.5}


def _few(values: "pd.Series[str]") -> bool:
    return 1 < values.nunique() <= MOST_SOURCES
