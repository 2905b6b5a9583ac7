from collections.abc import Callable
from pathlib import Path

import pytest

from bycase.core.fingerprint import fingerprint
from bycase.core.params import load_params
from bycase.training.checkpoint import training_settings


def test_settings_and_their_boundaries_count_and_the_order_of_keys_does_not() -> None:
    settings: list[tuple[object, ...]] = [("ab", "c"), ("a", "bc"), ("abc",), (["ab"], "c"), ({"a": 1}, {"b": 1}), ()]
    assert len({fingerprint([], *each) for each in settings}) == len(settings)
    assert fingerprint([], {"a": 1, "b": 2}) == fingerprint([], {"b": 2, "a": 1})
    assert fingerprint([], [1, 2]) != fingerprint([], [2, 1])
    with pytest.raises(TypeError, match="object has no fingerprint"):
        fingerprint([], object())


def test_files_and_all_that_is_in_folders_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder, file = Path("images/a"), Path("table.csv")
    folder.mkdir(parents=True)
    seen = []
    for path, text in ((file, "1"), (folder / "1.png", "1"), (folder / "1.png", "2"), (folder / "2.png", "2")):
        path.write_text(text, encoding="utf-8")
        seen.append(fingerprint([], files=(Path("images"), file)))
    assert len(set(seen)) == len(seen)
    assert fingerprint([], files=(Path("images"), file)) == seen[-1]


@pytest.mark.parametrize(
    "work",
    [
        ["stages.train"],
        ["stages.embed"],
        ["bycase.studies.tune.search"],
        ["bycase.studies.benchmark.run", "stages.robustness"],
    ],
)
def test_only_code_that_the_work_uses_counts(work: list[str], copied_code: Path) -> None:
    def edit(name: str) -> str:
        with (copied_code / name).open("a", encoding="utf-8") as file:
            file.write("\n# Changed.\n")
        return fingerprint(work)

    before = fingerprint(work)
    unrelated = ["bycase/apps/serve/command.py", "bycase/report/page.py", "bycase/statistics/leakage/meter.py"]
    assert [edit(name) for name in unrelated] == [before] * 3
    assert edit("bycase/images/pixels.py") != before


def test_of_the_settings_only_those_of_a_training_concern_it(project: Path, write_params: Callable[..., None]) -> None:
    before = training_settings(load_params())
    for key, value in (("explain.images", 3), ("robustness.severities", [1]), ("zoo.vgg16.epochs", 2)):
        write_params({key: value})
        assert training_settings(load_params()) == before, key
    for key, value in (("train.gradient_clip", 0.5), ("augment.mixup", 0.9), ("zoo.resnet50v2.epochs", 2)):
        write_params({key: value})
        assert training_settings(load_params()) != before, key
