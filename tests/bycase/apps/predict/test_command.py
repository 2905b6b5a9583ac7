import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bycase.apps.classifier.classifier import Classifier
from bycase.apps.predict import command, run
from bycase.core.errors import UserError
from tests.conftest import REPOSITORY
from tests.fixtures import malformed as made

Bundle = Callable[[int], Path]
RAW = "data/raw/phantom"


@pytest.fixture
def predict(copied: Path, classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """``predict("folder", "--out", "x.csv")`` gives the exit code; the classifier is loaded already."""
    monkeypatch.setattr(run, "load_for_runtime", lambda path, runtime, batch_size: classifier)

    def predict(*arguments: str) -> int:
        with pytest.raises(SystemExit) as caught:
            command.main(list(arguments))
        assert isinstance(caught.value.code, int)
        return caught.value.code

    return predict


def read(path: str) -> pd.DataFrame:
    return pd.read_csv(path, keep_default_na=False, dtype={"patient": str})


@pytest.mark.parametrize("inputs", ["data/restructured", RAW, f"{RAW}/*.png", "all.zip"])
def test_restructured_raw_and_zipped_images_give_the_stored_predictions(
    predict: Callable[..., int], inputs: str
) -> None:
    stored = pd.read_csv("data/predictions/test.csv").assign(name=lambda frame: frame["image"].map(os.path.basename))
    with zipfile.ZipFile("all.zip", "w") as opened:
        for path in sorted(Path(RAW).iterdir()):
            opened.write(path, f"folder/{path.name}")
    assert predict(inputs, "--out", "out/preds.csv") == 0
    found = read("out/preds.csv").assign(name=lambda frame: frame["image"].map(os.path.basename))
    assert len(found) == 48
    assert found["image"].is_monotonic_increasing
    both = stored.merge(found, on="name", validate="one_to_one")
    assert len(both) == len(stored) == 12
    np.testing.assert_allclose(both[["network_Benign", "network_Malignant"]], both[["Benign", "Malignant"]], atol=1e-4)
    assert ((both["class"] == "Malignant") == (both["Malignant"] >= 0.45)).all()


def test_the_tables_columns(predict: Callable[..., int]) -> None:
    assert predict(RAW, "--out", "a.csv", "--views", "3") == 0
    assert list(read("a.csv").columns) == [
        *("image", "class", "probability_Benign", "probability_Malignant", "network_Benign", "network_Malignant"),
        *("set", "image_set", "entropy", "distance", "unlike", "low", "high", "disagreement", "patient", "notes"),
    ]
    assert set(read("a.csv")["set"]) <= {"Benign", "Malignant", "Benign|Malignant"}


def test_patients_are_the_means_of_their_images(predict: Callable[..., int], classifier: Classifier) -> None:
    assert predict(RAW, "--out", "a.csv") == 0
    images, patients = read("a.csv"), read("a.patients.csv")
    means = images.groupby("patient")["network_Malignant"].mean()
    np.testing.assert_allclose(patients["network_Malignant"], means[patients["patient"]], atol=1e-12)
    assert patients["images"].tolist() == [2] * 24
    assert ((patients["class"] == "Malignant") == (patients["network_Malignant"] >= 0.4)).all()
    scores = patients[["network_Benign", "network_Malignant"]].to_numpy()
    np.testing.assert_allclose(
        patients["probability_Malignant"], classifier.info.calibrate(scores, "patient")[:, 1], atol=1e-12
    )


def test_a_table_of_patients_goes_before_names(predict: Callable[..., int]) -> None:
    names = sorted(path.name for path in Path(RAW).iterdir())
    lines = [f"{name},{'left' if n < 3 else 'right'}" for n, name in enumerate(names[:8])]
    Path("who.csv").write_text("\n".join(["image,patient", *lines]))
    assert predict(RAW, "--out", "a.json", "--patients", "who.csv") == 0
    patients = json.loads(Path("a.patients.json").read_text())
    assert [(row["patient"], row["images"]) for row in patients] == [("left", 3), ("right", 5)]
    assert [row["patient"] for row in json.loads(Path("a.json").read_text())][7:10] == ["right", "", ""]


def test_bad_files_have_one_line_each_and_the_rest_go_on(
    predict: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    bad = made.malformed()
    Path("mixed").mkdir()
    for name, content in bad.items():
        Path("mixed", name).write_bytes(content)
    for n, (kind, suffix) in enumerate(made.FORMATS.items()):
        Path("mixed", f"{'amz'[n % 3]}_good.{suffix}").write_bytes(made.picture(kind))
    Path("mixed/jpeg_inside.png").write_bytes(made.picture("JPEG"))
    Path("mixed/note.txt").write_text("left out")
    assert predict("mixed", "absent.png", "--out", "a.jsonl") == 2
    rows = [json.loads(line) for line in Path("a.jsonl").read_text().splitlines()]
    good = sorted(
        [f"{'amz'[n % 3]}_good.{suffix}" for n, suffix in enumerate(made.FORMATS.values())] + ["jpeg_inside.png"]
    )
    assert [row["image"] for row in rows] == [f"mixed/{name}" for name in good]
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("predict: ")]
    assert [line.split(": ")[1] for line in lines] == [*(f"mixed/{name}" for name in bad), "absent.png"]
    assert all(line.split(": ", 2)[2] for line in lines)
    assert not any("Traceback" in line for line in lines)


def test_where_nothing_can_be_predicted_nothing_is_written(
    predict: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("bad.png").write_text("no picture")
    Path("empty").mkdir()
    assert predict("bad.png", "empty", "absent/*.png", "--out", "a.csv") == 1
    assert not Path("a.csv").exists()
    assert len(capsys.readouterr().err.splitlines()) == 3


def test_notes_say_what_was_done(predict: Callable[..., int]) -> None:
    frames = [Image.new("L", (20, 20), shade) for shade in (10, 200)]
    frames[0].save("a.gif", save_all=True, append_images=frames[1:])
    Image.new("CMYK", (20, 20)).save("b.jpg")
    assert predict("a.gif", "b.jpg", "--out", "a.csv") == 0
    assert read("a.csv")["notes"].tolist() == [
        f"{note}; of one colour" for note in ("first frame only", "CMYK converted without its colour profile")
    ]


def test_files_that_are_no_pictures_are_named(predict: Callable[..., int], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    Path("mixed").mkdir()
    Path("mixed/a.png").write_bytes(made.picture())
    for name in ("a.txt", "b.txt", "c.npy"):
        Path("mixed", name).touch()
    assert predict("mixed", "--out", "a.csv") == 0
    assert "3 files left out, no images by their names: 2 .txt (mixed/a.txt, ...), 1 .npy (mixed/c.npy: an array" in (
        caplog.text
    )


def test_a_slide_is_told_what_would_make_pictures_of_it(
    predict: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("a.svs").touch()
    assert predict("a.svs", "--out", "a.csv") == 1
    assert "a.svs: a slide, too large for one picture: cut tiles from it" in capsys.readouterr().err


def test_pixels_that_training_did_not_have_need_their_range(predict: Callable[..., int]) -> None:
    values = np.random.default_rng(0).integers(0, 4096, (20, 20), dtype=np.uint16)
    for name in ("a.png", "b.tif"):
        Image.fromarray(values).save(name)
    Image.fromarray(values / np.float32(4095)).save("c.tif")
    assert predict("a.png", "b.tif", "c.tif", "--out", "a.csv") == 2
    assert read("a.csv")["notes"].tolist() == ["grey; 0 made black, 1 white"]
    assert predict("a.png", "b.tif", "--out", "a.csv", "--value-range", "0,4095") == 0
    assert read("a.csv")["notes"].tolist() == ["grey; 0 made black, 4095 white"] * 2


@pytest.mark.parametrize("text", ["1", "5,5", "9,0", "a,b", "0,inf"])
def test_a_range_must_be_one(predict: Callable[..., int], text: str) -> None:
    with pytest.raises(UserError, match="is no range such as 0,4095"):
        predict("a.png", "--value-range", text)


def test_overlays_are_written_beside_the_table(predict: Callable[..., int]) -> None:
    assert predict(RAW, "--out", "out/a.csv", "--explain") == 0
    files = read("out/a.csv")["overlay"].tolist()
    assert sorted(files) == files == sorted(path.name for path in Path("out/a.overlays").iterdir())
    assert len(set(files)) == 48
    with Image.open(Path("out/a.overlays") / files[0]) as image:
        assert image.size == (32, 32)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x.png", "--out", "a.xlsx"], "suffix must be"),
        (["x.png", "--explain"], "name it by --out"),
        (["x.png", "--patients", "absent.csv"], "absent.csv not found"),
        (["x.png", "--views", "9"], "invalid choice"),
        (["x.png", "--batch-size", "0"], "0 is no number from 1 to 4096"),
        ([], "required: INPUT"),
        (["x.png", "--model", "absent.keras"], "absent.keras not found"),
        (["x.png", "--model", "models/model.keras"], "a network without classes"),
    ],
)
def test_wrong_usage_is_one_line(copied: Path, arguments: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        command.main(arguments)
    assert "\n" not in str(caught.value)


def test_the_phantom_is_said(predict: Callable[..., int], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    assert predict(RAW, "--out", "a.csv") == 0
    assert "GENERATED" in caplog.text
    assert re.search(r"48 images in a\.csv", caplog.text)


@pytest.mark.slow
def test_the_whole_command_as_a_process(copied: Path) -> None:
    """Loads the file itself, writes to a pipe that is closed early, and leaves no traceback."""
    ended = subprocess.run(
        f"{sys.executable} -m bycase predict absent.png {RAW} | head -n 2",
        shell=True,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.stdout.splitlines()[0].startswith("image,class,probability_Benign")
    assert len(ended.stdout.splitlines()) == 2
    assert "predict: absent.png: no such file or folder" in ended.stderr.splitlines()
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_files(bundled: Bundle, tmp_path: Path) -> None:
    """A hundred thousand copies of one small picture; peaks of two processes are compared."""
    content = io.BytesIO()
    Image.new("RGB", (40, 40), "pink").save(content, "PNG")
    peaks = {}
    for count in (2_000, 100_000):
        folder = tmp_path / str(count)
        for n in range(count):
            place = folder / f"{n // 1000:03}"
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{n:06}.png").write_bytes(content.getvalue())
        script = (
            "from bycase.apps.predict.command import main\n"
            f"try: main([{str(folder)!r}, '--out', {str(folder) + '.csv'!r}, '--batch-size', '64'])\n"
            "except SystemExit as end: assert end.code == 0\n"
            "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
        )
        ended = subprocess.run(
            [sys.executable, "-c", script],
            cwd=bundled(2),
            env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
            check=True,
        )
        # Unlike ru_maxrss, which begins at the parent's.
        peaks[count] = int(ended.stdout) / 1024
        with (tmp_path / f"{count}.csv").open() as file:
            assert sum(1 for _ in file) == count + 1
    assert peaks[100_000] - peaks[2_000] < 100, peaks
