import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bycase.core.errors import UserError
from bycase.tables.manifest import MANIFEST, RESTRUCTURED, read_manifest
from stages.restructure import REPORT, main

REPOSITORY = Path(__file__).parents[2]
RAW = Path("data/raw/phantom")
SMALL = {"datasets.phantom.image_size": 32}

RunStage = Callable[..., subprocess.CompletedProcess[str]]
BreakhisFolder = Callable[..., dict[str, Path]]
WriteParams = Callable[..., None]


@dataclass(frozen=True)
class Run:
    """A finished run of the stage: its project, its process and the names it was given."""

    folder: Path
    process: subprocess.CompletedProcess[str]
    names: list[str]


@pytest.fixture(scope="module")
def done(
    tmp_path_factory: pytest.TempPathFactory,
    breakhis_folder: BreakhisFolder,
    write_params: WriteParams,
    run_stage_process: RunStage,
) -> Run:
    folder = tmp_path_factory.mktemp("project")
    write_params(SMALL, folder)
    names = breakhis_folder(folder / RAW, outer="BreaKHis_v1/BreaKHis_v1")
    (folder / RAW / "BreaKHis_v1" / "Folds.csv").touch()
    return Run(folder, run_stage_process("restructure", folder), sorted(names))


def test_stage_succeeds_with_one_line_on_standard_error(done: Run) -> None:
    assert (done.process.returncode, done.process.stdout) == (0, "")
    assert done.process.stderr == f"restructure: {len(done.names)} images, 0 rejected (metrics/restructure.json)\n"


def test_images_lie_in_one_folder_a_class_and_the_manifest_lists_all(done: Run) -> None:
    manifest = read_manifest(done.folder / MANIFEST)
    restructured = done.folder / RESTRUCTURED
    assert sorted(manifest["image"]) == sorted(
        p.relative_to(restructured).as_posix() for p in restructured.rglob("*.*")
    )
    assert sorted(Path(image).name for image in manifest["image"]) == done.names
    assert {image.split("/")[0] for image in manifest["image"]} == {"Benign", "Malignant"}
    assert {Image.open(done.folder / RESTRUCTURED / image).size for image in manifest["image"]} == {(32, 32)}


def test_report_counts_what_the_manifest_lists(done: Run) -> None:
    report = json.loads((done.folder / REPORT).read_text())
    assert report["images"] == len(done.names)
    assert report["by_class"] == {"Benign": {"40X": 8, "200X": 8}, "Malignant": {"40X": 8, "200X": 8}}
    assert (report["cases"], report["folders"], report["rejected"]) == (16, 16, [])
    assert report["not_images"] == ["BreaKHis_v1/Folds.csv"]


def test_nothing_else_is_left_behind(done: Run) -> None:
    left = {path.relative_to(done.folder).as_posix() for path in done.folder.glob("*/*")}
    assert left == {"data/raw", "data/restructured", "data/manifest.csv", "metrics/restructure.json"}


def test_keras_loads_the_folder_with_the_right_labels(done: Run) -> None:
    import keras

    dataset = keras.utils.image_dataset_from_directory(
        done.folder / RESTRUCTURED, image_size=(32, 32), batch_size=64, shuffle=False, verbose=False
    )
    assert dataset.class_names == ["Benign", "Malignant"]
    labels = [int("Malignant" in path) for path in dataset.file_paths]
    images, read = next(iter(dataset))
    assert images.shape == (len(done.names), 32, 32, 3)
    assert read.numpy().tolist() == labels
    assert sum(labels) == len(done.names) // 2


def assert_refused(project: Path, message: str) -> None:
    """The stage ends with this message, and its earlier outputs are as they were."""
    with pytest.raises(UserError, match=message):
        main()
    assert not RESTRUCTURED.exists()
    assert not MANIFEST.exists()
    assert not list(Path("data").glob(".*"))


def test_empty_folder_is_refused_on_one_line(project: Path, run_stage_process: RunStage) -> None:
    (project / RAW).mkdir(parents=True)
    ended = run_stage_process("restructure", project)
    assert ended.returncode == 1
    assert ended.stderr == (
        "restructure: error: data/raw/phantom holds no image in the layout of datasets.<name>.layout; "
        "check datasets.<name>.path\n"
    )
    assert not RESTRUCTURED.exists()
    assert not MANIFEST.exists()


@pytest.mark.parametrize(("gone", "kept"), [("M", "Benign"), ("B", "Malignant")])
def test_missing_class_is_refused(project: Path, breakhis_folder: BreakhisFolder, gone: str, kept: str) -> None:
    for name, path in breakhis_folder(RAW).items():
        if name.startswith(f"SOB_{gone}"):
            path.unlink()
    assert_refused(project, f"holds no image of class (Benign|Malignant); found only {kept}")


def test_too_many_bad_files_are_refused_and_all_reported(
    project: Path, breakhis_folder: BreakhisFolder, run_stage_process: RunStage
) -> None:
    written = breakhis_folder(RAW)
    bad = sorted(written.values())[:3]
    bad[0].write_bytes(bad[0].read_bytes()[:60])
    bad[1].write_bytes(b"")
    bad[2].write_text("text")
    ended = run_stage_process("restructure", project)
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.startswith("restructure: error: 3 files (9.4%) cannot be used, more than max_bad_share 1.0%")
    report = json.loads(REPORT.read_text())
    assert [entry["file"] for entry in report["rejected"]] == [path.relative_to(RAW).as_posix() for path in bad]
    assert report["images"] == len(written) - 3
    assert not RESTRUCTURED.exists()
    assert not MANIFEST.exists()


def test_few_bad_files_are_left_out_and_reported(
    project: Path, breakhis_folder: BreakhisFolder, write_params: WriteParams
) -> None:
    written = breakhis_folder(RAW)
    bad = next(iter(written.values()))
    bad.write_bytes(b"")
    write_params(SMALL | {"datasets.phantom.max_bad_share": 0.05})
    main()
    assert len(read_manifest()) == len(written) - 1
    assert not (RESTRUCTURED / "Benign" / bad.name).exists()
    assert [entry["file"] for entry in json.loads(REPORT.read_text())["rejected"]] == [bad.relative_to(RAW).as_posix()]


def test_refused_run_keeps_the_outputs_of_the_last_good_one(project: Path, breakhis_folder: BreakhisFolder) -> None:
    written = breakhis_folder(RAW)
    main()
    before = {path: path.stat().st_mtime_ns for path in [MANIFEST, *RESTRUCTURED.rglob("*.png")]}
    next(iter(written.values())).write_bytes(b"")
    with pytest.raises(UserError, match="max_bad_share"):
        main()
    assert {path: path.stat().st_mtime_ns for path in [MANIFEST, *RESTRUCTURED.rglob("*.png")]} == before


def test_kaggles_archive_must_hold_all_published_images(
    project: Path, breakhis_folder: BreakhisFolder, write_params: WriteParams
) -> None:
    breakhis_folder(Path("data/raw/breakhis"))
    write_params({"dataset": "breakhis", "datasets.breakhis.image_size": 32})
    assert_refused(project, "BreakHis from Kaggle has 8 benign images at 40X where 625 are published")


def test_class_that_the_parameters_do_not_list_is_refused(
    project: Path, breakhis_folder: BreakhisFolder, write_params: WriteParams
) -> None:
    breakhis_folder(RAW)
    write_params({"datasets.phantom.classes": ["benign", "Malignant"]})
    assert_refused(project, "class Benign, which datasets.<name>.classes lacks")


def limit_file_size() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))


def test_disk_that_takes_no_more_ends_with_one_line_and_nothing_half_written(
    project: Path, breakhis_folder: BreakhisFolder, run_stage_process: RunStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    breakhis_folder(RAW)
    # What `make coverage` measures in processes is written too, and would not fit.
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    ended = run_stage_process("restructure", project, preexec_fn=limit_file_size)
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.startswith("restructure: error: ")
    assert "File too large" in ended.stderr
    assert sorted(path.name for path in Path("data").iterdir()) == ["raw"]


def test_killed_run_leaves_no_output_and_the_next_one_is_whole(
    project: Path, breakhis_folder: BreakhisFolder, run_stage_process: RunStage
) -> None:
    # 80 images of 400x300 take long enough to be interrupted.
    written = breakhis_folder(RAW)
    pixels = Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8))
    for number in range(80):
        pixels.save(RAW / f"SOB_M_DC-14-2980-40-{number:03}.png", compress_level=0)
    process = subprocess.Popen(
        [sys.executable, "-m", "stages.restructure"], env=os.environ | {"PYTHONPATH": str(REPOSITORY)}
    )
    while not list(Path("data").glob(".partial-*/*/*.png")):
        assert process.poll() is None
        time.sleep(0.002)
    process.kill()
    process.wait()
    assert not RESTRUCTURED.exists()
    assert not MANIFEST.exists()
    assert run_stage_process("restructure", project).returncode == 0
    assert len(read_manifest()) == len(written) + 80 == len(list(RESTRUCTURED.rglob("*.png")))
    assert sorted(path.name for path in Path("data").iterdir()) == ["manifest.csv", "raw", "restructured"]


def test_two_runs_write_the_same_bytes(project: Path, breakhis_folder: BreakhisFolder) -> None:
    breakhis_folder(RAW)
    outputs = []
    for _ in range(2):
        main()
        files = [MANIFEST, REPORT, *sorted(RESTRUCTURED.rglob("*.png"))]
        outputs.append({path: path.read_bytes() for path in files})
    assert outputs[0] == outputs[1]


def test_two_processes_at_once_both_end_well_and_leave_one_whole_output(
    project: Path, breakhis_folder: BreakhisFolder
) -> None:
    written = breakhis_folder(RAW)
    command = [sys.executable, "-m", "stages.restructure"]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    processes = [subprocess.Popen(command, env=environment) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert len(read_manifest()) == len(written) == len(list(RESTRUCTURED.rglob("*.png")))
    assert sorted(path.name for path in Path("data").iterdir()) == ["manifest.csv", "raw", "restructured"]


def test_folders_with_spaces_and_unicode_and_a_wrong_extension_are_no_obstacle(
    project: Path, breakhis_folder: BreakhisFolder
) -> None:
    written = breakhis_folder(RAW)
    (RAW / "BreaKHis_v1").rename(RAW / "données brutes 乳腺")
    jpeg = RAW / "données brutes 乳腺" / "SOB_M_DC-14-99999-40-001.png"
    noise = np.random.default_rng(0).integers(0, 256, (46, 70, 3), dtype=np.uint8)
    Image.fromarray(noise).save(jpeg, format="JPEG")
    main()
    manifest = read_manifest()
    assert len(manifest) == len(written) + 1
    assert manifest["source"].str.startswith("données brutes 乳腺/").all()
    assert (RESTRUCTURED / "Malignant" / jpeg.name).read_bytes()[:4] == b"\x89PNG"


def deepen(paths: list[Path], pixels: Callable[[NDArray[np.float64]], NDArray[np.generic]]) -> None:
    """Write images anew, as grey in [0, 1] and then as `pixels` makes of it, in a file that Pillow knows as TIFF."""
    for path in paths:
        unit = np.asarray(Image.open(path).convert("L")) / 255
        Image.fromarray(pixels(unit)).save(path, "TIFF")


def test_floating_point_of_0_to_1_is_said_and_not_black(
    project: Path, breakhis_folder: BreakhisFolder, run_stage_process: RunStage
) -> None:
    written = list(breakhis_folder(RAW).values())
    deepen(written, lambda unit: unit.astype(np.float32))
    ended = run_stage_process("restructure", project)
    assert ended.returncode == 0
    assert "images of floating point, values 0" in ended.stderr
    assert ended.stderr.rstrip().endswith("0 becomes black, 1 white (the range of the type)")
    values = json.loads(REPORT.read_text())["pixel_values"]["float"]
    assert (values["low"], values["high"], values["images"]) == (0, 1, len(written))
    brightest = max(np.asarray(Image.open(path)).max() for path in RESTRUCTURED.rglob("*.png"))
    assert brightest > 200


def test_values_that_were_divided_stop_until_their_range_is_chosen(
    project: Path, breakhis_folder: BreakhisFolder, run_stage_process: RunStage, write_params: WriteParams
) -> None:
    for path in breakhis_folder(RAW).values():
        Image.fromarray(np.asarray(Image.open(path).convert("RGB")) // 4).save(path)
    ended = run_stage_process("restructure", project)
    assert (ended.returncode, len(ended.stderr.splitlines())) == (1, 1)
    assert "cannot be known; set datasets.phantom.value_range: type (black 0, white 255), data (" in ended.stderr
    assert not RESTRUCTURED.exists()
    write_params(SMALL | {"datasets.phantom.value_range": [0, 63]})
    main()
    assert json.loads(REPORT.read_text())["pixel_values"]["8-bit"]["origin"] == "given"


def test_images_of_nothing_stop_above_the_limit(
    project: Path, breakhis_folder: BreakhisFolder, run_stage_process: RunStage, write_params: WriteParams
) -> None:
    written = breakhis_folder(RAW)
    black = next(iter(written.values()))
    Image.new("RGB", (70, 46)).save(black)
    ended = run_stage_process("restructure", project)
    assert ended.returncode == 1
    assert "the first: " in ended.stderr
    assert f"{black.name} (of one colour)" in ended.stderr
    write_params(SMALL | {"datasets.phantom.max_bad_share": 0.1})
    ended = run_stage_process("restructure", project)
    assert ended.returncode == 0
    assert "1 images with nothing to see in them, the first: " in ended.stderr
    assert len(json.loads(REPORT.read_text())["blank"]) == 1
