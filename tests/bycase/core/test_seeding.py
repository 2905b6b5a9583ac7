import importlib.util
import itertools
import os
import subprocess
import sys

import pytest

from bycase.core.seeding import derive_seed, generator


def test_derived_seeds_are_the_same_on_every_machine_and_release() -> None:
    assert derive_seed(7, "views", 2) == 698073193
    assert derive_seed(7, "split", 0) == 1830621935
    assert derive_seed(0) == 804681139


def test_every_purpose_and_seed_has_its_own_stream() -> None:
    purposes = [(), ("view",), ("split",), ("view", 0), ("view", 1), ("view", 1, 0), ("view", 10), (1, "view")]
    seeds = [derive_seed(seed, *purpose) for seed in (0, 1, 7, 71) for purpose in purposes]
    assert len(set(seeds)) == len(seeds)


def test_derived_seeds_fit_every_librarys_range() -> None:
    assert all(0 <= derive_seed(seed, part) < 2**31 for seed, part in itertools.product((0, 2**32 - 1), range(100)))


def test_generators_of_one_purpose_repeat_and_of_two_differ() -> None:
    first = generator(7, "a").integers(0, 1000, 8).tolist()
    assert generator(7, "a").integers(0, 1000, 8).tolist() == first
    assert generator(7, "b").integers(0, 1000, 8).tolist() != first
    assert generator(8, "a").integers(0, 1000, 8).tolist() != first


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_nothing_of_a_library_is_printed_while_backends_are_loaded_and_seeded(backend: str) -> None:
    if not importlib.util.find_spec(backend):
        pytest.skip(f"{backend} is not installed")
    code = "from bycase.core.seeding import make_deterministic as make; make(1)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout + done.stderr == ""
