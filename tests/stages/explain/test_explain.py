import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.explain.artifacts import mean_curves, read_artifacts
from bycase.explain.deletion import area
from bycase.explain.sanity import STEP_WORDS
from bycase.figures.plots import draw_explanations
from stages import explain as command


@pytest.mark.parametrize("workspace", [2, pytest.param(3, marks=pytest.mark.slow)], indirect=True)
def test_the_stage_writes_all_it_promises(workspace: tuple[Path, list[str]]) -> None:
    _, classes = workspace
    command.main()
    content = json.loads(Path("metrics/explain.json").read_text())
    gates = ["attention"] if len(classes) == 3 else []
    assert list(content["sanity"]) == ["grad_cam", "grad_cam_plus_plus", *gates]
    assert list(content["scores"]) == ["grad_cam", "grad_cam_plus_plus", *gates, "random", "centre"]
    headlines = json.loads(Path("metrics/headlines/explain.json").read_text())
    assert {name: of["passed"] for name, of in headlines["sanity"].items()} == {
        name: of["passed"] for name, of in content["sanity"].items()
    }
    assert headlines["scores"]["random"]["deletion"] == content["scores"]["random"]["deletion"]
    assert content["n"] == 8
    assert content["n_patients"] == 6

    table = pd.read_csv("data/explain/deletion.csv")
    known = pd.read_csv("data/predictions/test.csv").set_index("image")
    start = table[table["share"] == 0].drop_duplicates("image")
    assert len(start) == 8
    for _, row in start.iterrows():
        assert row["deletion"] == pytest.approx(known.loc[row["image"], row["explained"]], abs=1e-5)
    for order, of in table.groupby("order"):
        curves = of.pivot_table(index="image", columns="share", values="deletion").to_numpy()
        assert content["scores"][order]["deletion"] == pytest.approx(area(curves).mean())
    similar = pd.read_csv("data/explain/sanity.csv")
    last = similar[(similar["layers"] == STEP_WORDS[-1]) & (similar["method"] == "grad_cam")]
    assert content["sanity"]["grad_cam"]["rank_correlation"] == pytest.approx(last["rank_correlation"].mean())
    artifacts = read_artifacts(Path("data/explain/artifacts.npz"))
    means = mean_curves(artifacts.orders, artifacts.curves)
    assert np.trapezoid(means["deletion_random"], means["share"]) == pytest.approx(
        content["scores"]["random"]["deletion"]
    )
    figures = draw_explanations(content, artifacts, ["of what", "how it was split"])
    assert set(figures) == {"explanations", "explanation_sanity", "deletion"}
    for row in artifacts.rows:
        assert set(row.heatmaps) == {"grad_cam", *gates}
        assert len(row.pixels) == len(row.predicted) == len(row.right)


@pytest.mark.slow
def test_a_network_that_did_not_make_the_predictions_is_refused(workspace: tuple[Path, list[str]]) -> None:
    path = Path("data/predictions/test.csv")
    table = pd.read_csv(path)
    table[["Benign", "Malignant"]] = 0.5
    table.to_csv(path, index=False)
    with pytest.raises(UserError, match="dvc repro -f evaluate"):
        command.main()
    assert not Path("data/explain").exists()
