"""Memory that runs out, of the processor or of a GPU: one line that says what to make smaller."""

from collections.abc import Iterator
from contextlib import contextmanager

from bycase.core.errors import UserError, out_of_memory
from bycase.core.params import Params

STEP = 32  # pixels; what halves five times, as in most networks


@contextmanager
def enough_memory(params: Params, key: str, batch_size: int) -> Iterator[None]:
    """Make a `UserError` of memory that runs out while images go through a network.

    Parameters
    ----------
    params : Params
        The whole of `params.yaml`.
    key : str
        Where it has the number of images that are in memory at a time.
    batch_size : int
        This number.

    Raises
    ------
    UserError
        Names batch size and image size, and smaller ones to try.
    """
    try:
        yield
    except Exception as error:
        if not out_of_memory(error):
            raise
        size = params.data.image_size
        choices = [f"{key} to {batch_size // 2}"] if batch_size > 1 else []
        if smaller := smaller_size(size):
            choices.append(f"datasets.{params.dataset}.image_size to {smaller}")
        raise UserError(
            f"memory ran out with {batch_size} images of {size} pixels at a time; what was finished is kept: free "
            f"memory and run again to go on from there{', or set ' if choices else ''}{', or '.join(choices)}"
        ) from None


def smaller_size(size: int) -> int:
    """A side of about half the area, in steps of 32 pixels; 0 where there is none."""
    return int(size * 0.75) // STEP * STEP
