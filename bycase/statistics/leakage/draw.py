"""Of a large data set, patients drawn at random: enough to measure on, and done before one loses patience."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def draw_groups(group: "pd.Series[str]", most: int, random: np.random.Generator) -> NDArray[np.intp]:
    """Draw whole groups at random until the next would be too many.

    Parameters
    ----------
    group : Series of str, of n_images rows
        Whose each image is.
    most : int
        Images in all; two groups are drawn even if they have more.
    random : Generator
        Of the draw.

    Returns
    -------
    ndarray of shape (n_drawn,), intp
        Positions of their images, in order; all of them where there are no more than `most`.
    """
    order = random.permutation(group.unique())
    sizes = group.value_counts()[order].cumsum()
    return np.flatnonzero(group.isin(order[: max(2, int((sizes <= most).sum()))]))
