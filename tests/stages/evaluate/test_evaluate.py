import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from bycase.core.errors import UserError
from bycase.tables.cost import COST, TIMES
from stages.evaluate import main


def test_main_writes_predictions_metrics_and_cost_that_repeat(network: Path) -> None:
    outputs = ("data/predictions/val.csv", "data/predictions/test.csv", "metrics/metrics.json")
    main()
    first = [Path(path).read_bytes() for path in outputs]
    main()
    assert [Path(path).read_bytes() for path in outputs] == first

    test = pd.read_csv(outputs[1])
    assert len(test) == 12
    metrics = json.loads(Path(outputs[2]).read_text())
    assert metrics["image"]["auc"] == pytest.approx(roc_auc_score(test["label"] == "Malignant", test["Malignant"]))
    assert metrics["image"]["auc"] > 0.5
    assert metrics["patient"]["n"] == 4
    assert metrics["image"]["baseline"]["auc"] == 0.5
    cost = json.loads(COST.read_text())
    assert cost["inference_images_per_second"] > 0
    assert (cost["parameters"], cost["training_seconds"]) == (4, 1.5)


def test_openvino_gives_the_same_predictions_and_is_told_beside_them(network: Path) -> None:
    pytest.importorskip("openvino")
    made_by, table = Path("data/predictions/made_by.json"), Path("data/predictions/test.csv")
    main()
    assert json.loads(made_by.read_text()) == {"engine": {"name": "keras"}}
    expected = pd.read_csv(table)["Malignant"]
    params = Path("params.yaml").read_text()
    Path("params.yaml").write_text(params.replace("engine: keras", "engine: openvino"))
    main()
    engine = json.loads(made_by.read_text())["engine"]
    assert engine["name"] == "openvino"
    assert engine["largest_difference"] <= 1e-4
    np.testing.assert_allclose(pd.read_csv(table)["Malignant"], expected, rtol=0, atol=1e-4)


def test_the_baseline_is_the_training_parts(network: Path) -> None:
    splits = pd.read_csv("data/splits.csv")
    splits.assign(part=splits["part"].mask(splits["group"] == "c0", "val")).to_csv("data/splits.csv", index=False)
    main()
    for level in ("image", "patient"):
        baseline = json.loads(Path("metrics/metrics.json").read_text())[level]["baseline"]
        assert baseline["brier"] == pytest.approx(((2 / 3) ** 2 + (1 / 3) ** 2) / 2)
        assert (baseline["sensitivity"], baseline["specificity"]) == (1, 0)


def test_a_split_by_image_still_scores_cases(network: Path) -> None:
    splits = pd.read_csv("data/splits.csv")
    part = pd.Series(["train", "val", "test"] * 12)  # every case is in all three parts
    splits.assign(group=splits["image"], part=part).to_csv("data/splits.csv", index=False)
    main()
    metrics = json.loads(Path("metrics/metrics.json").read_text())
    assert metrics["image"]["n"] == metrics["patient"]["n"] == 12
    splits.assign(group=splits["image"], part=["train", "test", "test", "val"] * 9).to_csv(
        "data/splits.csv", index=False
    )
    main()
    metrics = json.loads(Path("metrics/metrics.json").read_text())
    assert (metrics["image"]["n"], metrics["patient"]["n"]) == (18, 12)


def test_a_test_part_of_one_class_leaves_nothing_behind(network: Path) -> None:
    splits = pd.read_csv("data/splits.csv")
    benign_test = (splits["part"] == "test") & splits["image"].str.startswith("Benign")
    splits.assign(part=splits["part"].mask(benign_test, "train")).to_csv("data/splits.csv", index=False)
    with pytest.raises(UserError, match=r"test\.csv: no image of class Benign"):
        main()
    assert not Path("metrics").exists()
    assert not Path("data/predictions").exists()


def test_missing_or_unfitting_networks_are_named(workspace: Path) -> None:
    with pytest.raises(UserError, match=r"models/model\.keras not found: run 'dvc repro train'"):
        main()
    Path("models/model.keras").write_bytes(b"not a network")
    with pytest.raises(UserError, match="cannot be loaded"):
        main()
    Path("models/model.json").unlink()
    with pytest.raises(UserError, match=r"models/model\.json not found"):
        main()


def test_code_in_a_network_file_is_not_run(workspace: Path) -> None:
    import keras

    inputs = keras.Input((16, 16, 3))
    keras.Model(inputs, keras.layers.Lambda(lambda x: x[:, 0, 0, :1])(inputs)).save("models/model.keras")
    with pytest.raises(UserError, match="cannot be loaded"):
        main()


def test_a_network_of_another_machine_has_a_size_and_no_training_time(network: Path) -> None:
    (TIMES / f"{'a' * 64}.json").unlink()
    main()
    cost = json.loads(COST.read_text())
    assert cost["parameters"] == 4
    assert cost["inference_images_per_second"] > 0
    assert "cores" in cost["machine"]
    assert "training_seconds" not in cost


def test_main_scores_three_classes(workspace: Path) -> None:
    import keras

    manifest = pd.read_csv("data/manifest.csv")
    case = manifest["case"].str[1:].astype(int)
    labels = np.array(["Benign", "Malignant", "Normal"])[case % 3]
    manifest.assign(label=labels).to_csv("data/manifest.csv", index=False)
    info = json.loads(Path("models/model.json").read_text())
    info |= {"classes": ["Benign", "Malignant", "Normal"], "positive": None}
    Path("models/model.json").write_text(json.dumps(info))
    inputs = keras.Input((16, 16, 3))
    outputs = keras.layers.Dense(3, activation="softmax")(keras.layers.GlobalAveragePooling2D()(inputs / 255))
    keras.Model(inputs, outputs).save("models/model.keras")
    main()
    metrics = json.loads(Path("metrics/metrics.json").read_text())
    test = pd.read_csv("data/predictions/test.csv")
    assert list(metrics["image"]["per_class"]) == info["classes"]
    assert metrics["image"]["auc"] == pytest.approx(
        roc_auc_score(test["label"], test[info["classes"]], multi_class="ovr")
    )
    assert metrics["patient"]["n"] == 4
