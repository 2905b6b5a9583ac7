"""Tensors out of a PyTorch checkpoint, without PyTorch and without running what a pickle may contain.

The file's layout is that of ``torch.save`` before version 1.6 (torch/serialization.py, `_legacy_save`):
four pickles (magic number, protocol, system, object), a pickle with the storages' keys, then each
storage as its length (int64) and its bytes.
"""

import collections
import os
import pickle
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from bycase.core.errors import UserError

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C

_DTYPES = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
}


class _Storage:
    """A storage of which only the type and length are known until its bytes are read."""

    def __init__(self, dtype: np.dtype[Any], size: int) -> None:
        self.dtype, self.size = dtype, size
        self.array: NDArray[Any] = np.empty(0, dtype)


class _Tensor:
    """A view of a storage, made an array when the storage has been read."""

    def __init__(self, storage: _Storage, offset: int, shape: tuple[int, ...], stride: tuple[int, ...]) -> None:
        self.storage, self.offset, self.shape, self.stride = storage, offset, shape, stride

    def to_array(self) -> NDArray[Any]:
        data = self.storage.array
        last = self.offset + sum((n - 1) * s for n, s in zip(self.shape, self.stride, strict=True))
        if min((self.offset, *self.shape, *self.stride)) < 0 or (0 not in self.shape and last >= len(data)):
            raise pickle.UnpicklingError("a tensor reaches beyond its storage")
        strides = [s * data.itemsize for s in self.stride]
        return np.lib.stride_tricks.as_strided(data[self.offset :], self.shape, strides).copy()


def _rebuild_tensor(
    storage: _Storage, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> _Tensor:
    return _Tensor(storage, offset, tuple(shape), tuple(stride))


class _TensorUnpickler(pickle.Unpickler):
    """An unpickler that knows ordered dictionaries and tensors, and refuses every other name."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if module == "torch._utils" and name in ("_rebuild_tensor", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        raise pickle.UnpicklingError(f"{module}.{name} is not a tensor")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _, size, *_ = pid
        if kind != "storage" or not isinstance(dtype, np.dtype):
            raise pickle.UnpicklingError("an unknown kind of storage")
        return self.storages.setdefault(key, _Storage(dtype, int(size)))


def read_state_dict(path: Path) -> dict[str, NDArray[Any]]:
    """Read the tensors of a checkpoint that holds nothing else.

    Parameters
    ----------
    path : Path
        A ``.pth`` file with a state dict.

    Returns
    -------
    dict of str to ndarray
        The tensors by name, in the file's order, dtypes as stored.

    Raises
    ------
    UserError
        If the file is missing, damaged, of another format, or names anything that is not a tensor.
    """
    try:
        with path.open("rb") as file:
            if _load_plain(file) != MAGIC_NUMBER:
                raise pickle.UnpicklingError("not a PyTorch checkpoint of the old format")
            _load_plain(file)
            _load_plain(file)
            unpickler = _TensorUnpickler(file)
            tensors = unpickler.load()
            for key in _load_plain(file):
                _read_storage(file, unpickler.storages[key])
        return {str(name): tensor.to_array() for name, tensor in tensors.items()}
    except FileNotFoundError:
        raise UserError(f"{path} not found") from None
    except (pickle.UnpicklingError, EOFError, KeyError, ValueError, AttributeError, TypeError, IndexError) as error:
        raise UserError(f"{path} is refused: {error}; only a state dict of tensors is read") from None


def _load_plain(file: IO[bytes]) -> Any:
    """Unpickle numbers, texts, lists and dictionaries; anything with a class is refused."""
    return _TensorUnpickler(file).load()


def _read_storage(file: IO[bytes], storage: _Storage) -> None:
    size = int.from_bytes(file.read(8), "little", signed=True)
    if size != storage.size or size < 0:
        raise pickle.UnpicklingError("a storage has another length than announced")
    nbytes = size * storage.dtype.itemsize
    if nbytes > os.fstat(file.fileno()).st_size - file.tell():
        raise pickle.UnpicklingError("the file ends within a storage")
    storage.array = np.frombuffer(file.read(nbytes), storage.dtype)
