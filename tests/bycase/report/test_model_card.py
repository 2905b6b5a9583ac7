import json
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from bycase.core.files import write_json
from bycase.report.inputs import read_bench, read_run
from bycase.report.model_card import write_model_card
from bycase.report.study import study_of_bench, study_of_run
from tests.fixtures.report import RealData

# Of Hugging Face's own template.
SECTIONS = (
    "## Model Details",
    "## Uses",
    "### Direct Use",
    "### Out-of-Scope Use",
    "## Bias, Risks, and Limitations",
    "## How to Get Started with the Model",
    "## Training Details",
    "## Evaluation",
    "### Results",
    "## Environmental Impact",
)


def test_the_hub_can_read_it(run_folder: Path) -> None:
    text = write_model_card(study_of_run(read_run()))
    card = ModelCard(text)
    data = card.data
    assert (data.library_name, data.pipeline_tag, data.license) == ("keras", "image-classification", "mit")
    assert data.model_name == "resnet50v2-phantom"
    results = {(result.dataset_config, result.metric_name): result for result in data.eval_results}
    auc = results["image", "AUC, by image"]
    assert auc.metric_type == "roc_auc"
    assert auc.metric_value == pytest.approx(0.8)
    assert auc.metric_args == {"confidence_interval_95": [0.7, 0.9]}
    assert results["patient", "AUC, by patient"].metric_value == pytest.approx(0.75)
    # What is read again is written the same.
    assert ModelCard(str(card)).data.to_dict() == data.to_dict()
    assert all(section in card.text for section in SECTIONS)
    assert card.text.index("## Uses") < card.text.index("## Evaluation")


def test_it_says_what_stands_against_the_network(run_folder: Path) -> None:
    path = Path("data/splits.json")
    write_json(path, json.loads(path.read_text()) | {"cases_on_both_sides": 4})
    text = ModelCard(write_model_card(study_of_run(read_run()))).text
    assert "**PHANTOM" in text
    assert "- LEAKAGE: 4 cases" in text
    assert "Few patients: 12 tested" in text
    assert "not for diagnosis" in text
    assert "| AUC | 0.800 (0.700 to 0.900) | 0.750 (0.650 to 0.850) | 0.500 |" in text
    assert "Time and energy: in metrics/cost.json" in text


def test_on_real_data_the_licence_is_the_authors(run_folder: Path, real_data: RealData) -> None:
    real_data(run_folder)
    card = ModelCard(write_model_card(study_of_run(read_run())))
    assert card.data.license == "other"
    assert "PHANTOM" not in card.text
    assert "60 of 7,909 published images" in card.text
    assert "secret" not in str(card)


def test_of_a_benchmark_it_is_of_the_best(bench_folder: Path) -> None:
    card = ModelCard(write_model_card(study_of_bench(read_bench())))
    assert card.data.model_name == "efficientnetlite-phantom"
    assert "selected on the results" in card.text
    assert "2 min 28 s of training" in card.text
    assert "efficientnetlite and alexnet: better" in card.text
