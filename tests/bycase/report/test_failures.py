import pandas as pd

from bycase.report.failures import count_by_patient, find_errors

MANIFEST = pd.DataFrame({"image": list("abcde"), "subtype": "s", "magnification": 40})


def predictions(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"image": list("abcde"), **columns})


def test_the_most_confident_error_comes_first_by_its_own_folds_threshold() -> None:
    positive = [0.9, 0.05, 0.45, 0.45, 0.8]
    table = predictions(
        label=["N", "P", "N", "N", "P"],
        patient=list("xxyyz"),
        threshold=[0.5, 0.5, 0.5, 0.4, 0.5],
        P=positive,
        N=[1 - value for value in positive],
    )
    predicted = find_errors(table, MANIFEST, ["N", "P"], "P")
    # c and d have one probability; only in d's fold is it predicted positive.
    assert predicted["image"].tolist() == ["b", "a", "d", "e", "c"]
    assert predicted["wrong"].tolist() == [True, True, True, False, False]
    assert predicted["predicted"].tolist()[:3] == ["N", "P", "P"]
    assert predicted["probability"].round(3).tolist()[:3] == [0.95, 0.9, 0.45]
    counts = count_by_patient(predicted)
    assert counts.to_dict("list") == {
        "patient": ["x", "y"],
        "label": ["N, P", "N"],
        "wrong": [2, 1],
        "images": [2, 2],
    }


def test_the_order_of_the_columns_does_not_matter() -> None:
    table = predictions(label="P", patient="x", threshold=0.5, P=0.9, N=0.1)
    assert not find_errors(table, MANIFEST, ["P", "N"], "P")["wrong"].any()
    assert not find_errors(table, MANIFEST, ["N", "P"], "P")["wrong"].any()


def test_of_several_classes_the_most_probable_is_predicted() -> None:
    table = predictions(label=["A", "B", "C", "C", "C"], patient="x", threshold=None, A=0.2, B=0.5, C=0.3)
    predicted = find_errors(table, MANIFEST, ["A", "B", "C"], None)
    assert set(predicted["predicted"]) == {"B"}
    assert predicted["wrong"].sum() == 4
    assert set(predicted["probability"]) == {0.5}
