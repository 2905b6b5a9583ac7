"""Memory that runs out ends with one line, whichever library says it."""

import numpy as np
import pytest

from bycase.core.errors import UserError, out_of_memory
from bycase.core.memory import enough_memory, smaller_size
from bycase.core.params import Params, load_params


def tensorflow_error() -> Exception:
    from tensorflow.errors import ResourceExhaustedError

    return ResourceExhaustedError(None, None, "OOM when allocating tensor with shape[32,112,112,64]")


def jax_error() -> Exception:
    pytest.importorskip("jax")
    from jax.errors import JaxRuntimeError

    return JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 5368709120 bytes.")


def cuda_error() -> Exception:
    from tensorflow.errors import InternalError

    return InternalError(None, None, "Failed to allocate: CUDA_ERROR_OUT_OF_MEMORY: out of memory")


def numpy_error() -> Exception:
    with pytest.raises(MemoryError) as raised:
        np.empty(1 << 50)
    return raised.value


def opencv_error() -> Exception:
    import cv2

    return cv2.error("OpenCV(5.0.0) alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate 1 bytes")


ERRORS = [MemoryError, numpy_error, tensorflow_error, cuda_error, jax_error, opencv_error]


def params(image_size: int) -> Params:
    whole = load_params()
    data = whole.data.model_copy(update={"image_size": image_size})
    return whole.model_copy(update={"datasets": whole.datasets | {whole.dataset: data}})


@pytest.mark.parametrize("make", ERRORS)
def test_every_librarys_error_becomes_a_line_with_what_to_try(make: type[Exception]) -> None:
    with pytest.raises(UserError) as raised, enough_memory(params(224), "embed.batch_size", 32):
        raise make()
    assert str(raised.value) == (
        "memory ran out with 32 images of 224 pixels at a time; what was finished is kept: free memory and run again "
        "to go on from there, or set embed.batch_size to 16, or datasets.phantom.image_size to 160"
    )


@pytest.mark.parametrize(
    ("size", "batch_size", "ending"),
    [
        (96, 1, "go on from there, or set datasets.phantom.image_size to 64"),
        (32, 2, "go on from there, or set embed.batch_size to 1"),
        (32, 1, "go on from there"),
    ],
)
def test_no_batch_of_none_and_no_image_of_none_is_advised(size: int, batch_size: int, ending: str) -> None:
    with pytest.raises(UserError) as raised, enough_memory(params(size), "embed.batch_size", batch_size):
        raise MemoryError
    assert str(raised.value).endswith(ending)


def test_sizes_to_try_have_about_half_the_area() -> None:
    assert [smaller_size(size) for size in (224, 128, 96, 64, 50, 42)] == [160, 96, 64, 32, 32, 0]


def other_errors() -> list[Exception]:
    from tensorflow.errors import InvalidArgumentError

    return [
        ValueError("RESOURCE_EXHAUSTED"),
        InvalidArgumentError(None, None, "shapes differ"),
        UserError("no images"),
        OSError(28, "No space left on device"),
    ]


@pytest.mark.parametrize("number", range(4))
def test_other_errors_stay_what_they_are(number: int) -> None:
    error = other_errors()[number]
    assert not out_of_memory(error)
    with pytest.raises(type(error)) as raised, enough_memory(params(96), "embed.batch_size", 32):
        raise error
    assert raised.value is error
