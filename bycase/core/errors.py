"""The one exception for mistakes that a user can mend, and which errors are one."""

from collections.abc import Iterator
from contextlib import contextmanager

LIBRARIES = ("cv2", "jax", "jaxlib", "tensorflow")
NO_MEMORY = ("RESOURCE_EXHAUSTED", "CUDA_ERROR_OUT_OF_MEMORY", "CUDNN_STATUS_ALLOC_FAILED", "Insufficient memory")


class UserError(Exception):
    """A mistake in parameters, data or set-up: what, where and the way out, in one line."""


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out: Python's and NumPy's, OpenCV's, TensorFlow's and JAX's.

    The libraries are known by their errors' names and words, that none of them has to be loaded.
    """
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & {"MemoryError", "ResourceExhaustedError"}:
        return True
    library = type(error).__module__.partition(".")[0]
    return library in LIBRARIES and any(words in str(error) for words in NO_MEMORY)


@contextmanager
def one_line(what: str, way_out: str) -> Iterator[None]:
    """Make a `UserError` of any exception: "<what> (<its own words>); <way out>".

    For other people's readers and converters, which raise nearly anything on a file that they cannot use.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{what} ({reason[:200]}); {way_out}") from None
