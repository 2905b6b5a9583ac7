"""The model card in Hugging Face's format: metadata that the Hub reads, and the sections of its template."""

from collections.abc import Mapping
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from bycase.core.wording import capitalise, count, seconds
from bycase.report.page import plain, template_environment
from bycase.report.study import RESEARCH_ONLY, Study
from bycase.report.words import PHANTOM, headline, metric_rows, preprocessing_words, training_words
from bycase.statistics.metric_names import metric_words
from bycase.tables.manifest import PATIENTS_UNKNOWN

# The Hub's names of metrics.
HUB_METRICS = {
    "auc": "roc_auc",
    "average_precision": "average_precision",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced_accuracy",
    "sensitivity": "recall",
    "specificity": "specificity",
    "f1": "f1",
    "macro_f1": "f1",
    "brier": "brier_score",
}
CARBON = "Carbon: to be stated by the author, from energy and location"
TABLE = (*HUB_METRICS, "recognition_rate")


def write_model_card(study: Study) -> str:
    """The card of one network, or of the best network of a benchmark.

    YAML metadata between lines of ``---``, then Markdown; the last line is ended.
    """
    image = study.levels["image"]
    template = template_environment().get_template("model_card.md")
    return template.render(
        metadata=metadata(study).to_yaml(),
        study=study,
        plain=plain,
        capitalise=capitalise,
        phantom=PHANTOM if study.phantom else None,
        unknown=PATIENTS_UNKNOWN,
        summary=headline(study.network, study.name, study.tested, study.levels),
        use=RESEARCH_ONLY,
        leaks=study.leak_words,
        preprocessing=preprocessing_words(study.params),
        training=training_words(study.params, study.model),
        rows=metric_rows((*study.levels.values(), image["baseline"]), TABLE),
        cost=_cost(study.cost),
        size=study.params.data.image_size,
        n=count(image["n"]),
    )


def metadata(study: Study) -> ModelCardData:
    """The metadata that the Hub reads: library, task, data, and every result with its interval."""
    layout = study.params.data.layout
    tags = ["medical", *({"breakhis": ["histopathology"], "folders": [], "table": []}.get(layout, [layout]))]
    if study.phantom:
        tags.append("phantom")
    return ModelCardData(
        model_name=f"{study.model}-{study.params.dataset}",
        library_name="keras",
        pipeline_tag="image-classification",
        language="en",
        tags=[*tags, "cancer", "research-only"],
        datasets=[study.params.dataset],
        metrics=sorted({HUB_METRICS[name] for name in HUB_METRICS if name in study.levels["image"]}),
        eval_results=[
            _result(study, level, metric)
            for level in study.levels
            for metric in HUB_METRICS
            if study.levels[level].get(metric) is not None and not (metric == "macro_f1" and study.positive)
        ],
        # Whether weights inherit the data's licence is for the author to say.
        license="mit" if study.phantom else "other",
        license_name=None if study.phantom else "to-be-stated-by-the-author",
    )


def _result(study: Study, level: str, metric: str) -> EvalResult:
    metrics = study.levels[level]
    limits = metrics.get("ci", {}).get(metric)
    return EvalResult(
        task_type="image-classification",
        dataset_type=study.params.dataset,
        dataset_name=f"{study.name}, by {level}",
        dataset_config=level,
        dataset_split="test",
        metric_type=HUB_METRICS[metric],
        metric_name=f"{metric_words(metric)}, by {level}",
        metric_value=round(float(metrics[metric]), 4),
        metric_args={"confidence_interval_95": [round(limits["low"], 4), round(limits["high"], 4)]} if limits else None,
    )


def _cost(cost: Mapping[str, Any]) -> list[str]:
    """Time and energy where they are known; a single run leaves them out, so that the clock changes no card."""
    if cost.get("training_seconds") is None:
        return ["Time and energy: in metrics/cost.json, with the machine that they were measured on", CARBON]
    embedding = f", {seconds(cost['embed_seconds'])} of embedding" if cost.get("embed_seconds") else ""
    joules = cost.get("energy_joules")
    return [
        f"Time: {seconds(cost['training_seconds'])} of training{embedding}",
        f"Energy: {count(joules)} joules" if joules is not None else "Energy: not measured",
        CARBON,
    ]
