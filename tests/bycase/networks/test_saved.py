import re
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from bycase.core.errors import UserError
from bycase.networks.saved import load_network, save_network


def make_network() -> keras.Model:
    """A small network whose first and last layer share a policy of their own."""
    policy = keras.DTypePolicy("float32")
    inputs = keras.Input((8, 8, 3), name="images")
    x = keras.layers.Conv2D(4, 3, dtype=policy, name="first")(inputs)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, keras.layers.Dense(1, dtype=policy, name="last")(x), name="network")


@pytest.fixture
def network() -> keras.Model:
    return make_network()


class LaterClock:
    """Stands in for `datetime.datetime` a year on."""

    @staticmethod
    def now() -> "LaterClock":
        return LaterClock()

    def strftime(self, _: str) -> str:
        return "2031-01-01@00:00:00"


def test_the_same_network_saved_at_another_time_gives_the_same_bytes(
    network: keras.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_network(network, tmp_path / "first.keras")
    plain = [tmp_path / "plain-1.keras", tmp_path / "plain-2.keras"]
    network.save(plain[0])
    monkeypatch.setattr("keras.src.saving.saving_lib.datetime.datetime", LaterClock)
    monkeypatch.setattr("time.time", lambda: 1_924_992_000.0)
    network.save(plain[1])
    save_network(network, tmp_path / "sub/second.keras")
    assert (tmp_path / "first.keras").read_bytes() == (tmp_path / "sub/second.keras").read_bytes()
    # Keras' own files differ: the clock of this test is one that Keras reads.
    assert plain[0].read_bytes() != plain[1].read_bytes()
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["second.keras"]


def test_addresses_in_memory_are_not_in_the_file(network: keras.Model, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("one.keras", "two.keras")]
    other = make_network()
    other.set_weights(network.get_weights())
    for path, model in zip(files, (network, other), strict=True):
        save_network(model, path)
    assert files[0].read_bytes() == files[1].read_bytes()
    with zipfile.ZipFile(files[0]) as opened:
        identifiers = re.findall(rb'"shared_object_id": (\d+)', opened.read("config.json"))
    assert identifiers
    assert max(map(int, identifiers)) < len(identifiers)


def test_what_is_loaded_predicts_the_same(network: keras.Model, tmp_path: Path) -> None:
    save_network(network, tmp_path / "it.keras")
    images = np.random.default_rng(0).random((3, 8, 8, 3), np.float32)
    loaded = load_network(tmp_path / "it.keras")
    np.testing.assert_array_equal(loaded.predict(images, verbose=0), network.predict(images, verbose=0))
    with zipfile.ZipFile(tmp_path / "it.keras") as opened:
        assert {member.date_time[0] for member in opened.infolist()} == {1980}
        assert b"date" not in opened.read("metadata.json")


def test_other_weights_give_other_bytes(network: keras.Model, tmp_path: Path) -> None:
    save_network(network, tmp_path / "one.keras")
    network.layers[-1].bias.assign([1.0])
    save_network(network, tmp_path / "two.keras")
    assert (tmp_path / "one.keras").read_bytes() != (tmp_path / "two.keras").read_bytes()


def test_a_missing_or_foreign_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not found: run 'dvc repro train' first"):
        load_network(tmp_path / "none.keras")
    (tmp_path / "odd.keras").write_bytes(b"odd")
    with pytest.raises(UserError, match=r"odd\.keras cannot be loaded"):
        load_network(tmp_path / "odd.keras")
