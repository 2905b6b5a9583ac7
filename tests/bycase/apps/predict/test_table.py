from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bycase.apps.classifier.patients import describe_patients
from bycase.apps.predict.table import PatientScores, patients_by_name, read_patients
from bycase.core.errors import UserError
from bycase.core.params import Params
from bycase.statistics.pooling import Pooling


@pytest.mark.parametrize(
    ("name", "patient"),
    [
        ("data/x/SOB_M_DC-14-2980-40-001.png", "14-2980"),
        ("archive.zip/SOB_B_A-14-22549AB-400-012.PNG", "14-22549"),
        ("SOB_M_DC-14-2980-40-001~2.png", "14-2980"),
        ("SOB_M_DC-14-2980-40-001.tif", "14-2980"),
        ("SOB_B_DC-14-2980-40-001.png", ""),  # contradicts itself
        ("slide 7.png", ""),
    ],
)
def test_breakhis_names_say_the_case(name: str, patient: str) -> None:
    assert patients_by_name("breakhis")(name) == patient


def test_other_layouts_name_no_patient() -> None:
    assert patients_by_name("busi")("SOB_M_DC-14-2980-40-001.png") == ""


def test_a_table_is_asked_by_whole_name_then_by_file_name(tmp_path: Path) -> None:
    path = tmp_path / "patients.csv"
    text = "patient,image,site\n007,a.png,x\n8,f/a.png,y\n8,f/a.png,z\n9,b.png,\n"
    for separator in ",;\t":
        path.write_text(text.replace(",", separator), encoding="utf-8-sig")
        find = read_patients(path)
        found = [find(name) for name in ("f/a.png", "g/a.png", "a.png", "g/b.png", "c.png")]
        assert found == ["8", "007", "007", "9", ""]
    path.write_text("image,patient\nM\u00fcller.png,1\n", encoding="utf-8")
    assert read_patients(path)("f/Mu\u0308ller.png") == "1"


def test_one_image_or_patient_in_two_spellings_is_one(tmp_path: Path) -> None:
    path = tmp_path / "patients.csv"
    path.write_text("image,patient\na.png,M\u00fcller\nb.png,Mu\u0308ller\nc.png,\n", encoding="utf-8")
    find = read_patients(path)
    assert [find(name) for name in ("a.png", "b.png", "c.png")] == ["M\u00fcller", "M\u00fcller", ""]
    path.write_text("image,patient\nM\u00fcller.png,1\nMu\u0308ller.png,2\n", encoding="utf-8")
    with pytest.raises(UserError, match="has two patients"):
        read_patients(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"image,case\na,b\n", "column patient missing"),
        (b"", "has no rows"),
        (b"image,patient\na.png,1\na.png,2\n", "image a.png has two patients"),
        (b'image,patient\n"a', "line 2: 1 fields under 2 names"),
    ],
)
def test_bad_tables_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "patients.csv"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_patients(path)


def test_an_absent_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not found"):
        read_patients(tmp_path / "absent.csv")


def test_patients_are_pooled_in_order_of_appearance() -> None:
    patients = PatientScores()
    for patient, score, unlike in (("b", 0.2, True), ("a", 0.5, False), ("", 0.9, True), ("b", 0.6, True)):
        patients.add(patient, np.array([1 - score, score]), unlike)
    assert list(patients.scores) == ["b", "a"]
    np.testing.assert_allclose(patients.pooled(Pooling(), 1), [[0.6, 0.4], [0.5, 0.5]])
    np.testing.assert_allclose(patients.pooled(Pooling("top_k", top_k=1), 1), [[0.4, 0.6], [0.5, 0.5]])
    assert ([*map(len, patients.scores.values())], patients.unlike) == ([2, 1], {"b": 2, "a": 0})


@pytest.mark.parametrize(
    ("folders", "sources", "name", "patient"),
    [
        ({"patient": r"(?P<patient>\d+)_"}, ["8863/0/8863_a.png"], "/run_1/12_b/77/1/77_z.png", "77"),
        ({"patient": 1}, ["8863/0/a.png", "9/1/b.png"], "/home/x/55/0/c.png", "55"),
        ({"patient": -2}, ["8863/0/a.png", "9/1/deep/b.png"], "/home/x/55/0/c.png", "55"),
        ({"label": r"(?P<patient>\d+)_(?P<label>\w)"}, ["1_b.png"], "elsewhere/2_b.png", "2"),
        ({"patient": r"case(\d+)"}, ["case1/a.png"], "unnamed.png", ""),
    ],
)
def test_patients_of_ones_own_images_are_found_as_in_training(
    make_params: Callable[[dict[str, Any]], Params],
    default_params: dict[str, Any],
    folders: dict[str, Any],
    sources: list[str],
    name: str,
    patient: str,
) -> None:
    own = default_params["datasets"]["busi"] | {"layout": "folders", "folders": folders}
    data = make_params({"datasets.own": own}).datasets["own"]
    assert patients_by_name("folders", describe_patients(data, sources))(name) == patient


@pytest.mark.parametrize(
    ("table", "patient"),
    [
        ({"image": "id", "match": 1, "patient": "id"}, "55"),
        ({"image": "id", "match": r"(\d+)_", "patient": "id"}, "7"),
        ({"image": "id", "match": 1, "patient": "person"}, ""),
        ({"image": "id", "patient": "id"}, ""),
        ({"image": "id", "patient": r"(\d+)_"}, "7"),
    ],
)
def test_a_patient_of_a_table_is_found_where_the_path_names_it(
    make_params: Callable[[dict[str, Any]], Params],
    default_params: dict[str, Any],
    table: dict[str, Any],
    patient: str,
) -> None:
    own = default_params["datasets"]["busi"] | {"layout": "table", "table": table}
    data = make_params({"datasets.own": own}).datasets["own"]
    find = patients_by_name("table", describe_patients(data, ["8863/a.png"]))
    assert find("/home/x/55/7_c.png") == patient
