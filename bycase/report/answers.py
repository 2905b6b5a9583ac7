"""The pipeline's answer to each question of the checklists: a text, or a function of the study."""

from collections.abc import Callable

from bycase.core.wording import capitalise, count, error_with_test, share
from bycase.report.study import RESEARCH_ONLY, Study
from bycase.report.words import (
    CLASS_WEIGHT_WORDS,
    SAMPLING_WORDS,
    accuracy_verdict,
    auc_verdict,
    describe_metric,
    missing_words,
    preprocessing_words,
    training_words,
)
from bycase.statistics.metric_names import METRICS, short_metric_words

Answer = Callable[[Study], str | None]


def _eligibility(study: Study) -> str:
    rejected, copies = (count(len(study.data.restructure[name])) for name in ("rejected", "copies"))
    return (
        f"Every readable image was included; excluded were {rejected} unusable files and {copies} copies of another "
        "file (metrics/restructure.json)."
    )


def _subsets(study: Study) -> str:
    magnifications = study.params.split.magnifications
    chosen = f"Only {', '.join(f'{m}X' for m in magnifications)} images. " if magnifications else ""
    return f"{chosen}{missing_words(study.data.restructure)}."


def _missing_data(study: Study) -> str:
    absent = len(study.data.restructure.get("rows_without_image", []))
    return (
        f"Nothing is imputed. {missing_words(study.data.restructure)}. Rows of metadata without an image: "
        f"{count(absent)}."
    )


def _reference(study: Study) -> str:
    classes = ", ".join(study.classes)
    if study.phantom:
        return f"The class that each image was generated as: {classes}."
    return f"The publisher's label of each image: {classes}. {study.about.citation}."


def _disjoint(study: Study) -> str:
    merged = " Duplicates are joined into one group before the split." if study.params.split.merge_duplicates else ""
    return f"Disjoint by {study.group}. {study.leak_words}{merged}"


def _sample_size(study: Study) -> str:
    number = count(study.levels["image"]["n_patients" if study.patients_known else "n"])
    return f"All available images: {study.subsets}. Tested: {number} {study.clusters}. {study.analyses['power']}"


def _quality(study: Study) -> str:
    duplicates = sum(pairs["total"] for pairs in study.data.audit["pairs"].values())
    return (
        f"{preprocessing_words(study.params)}. Quality: unreadable files and copies excluded; {count(duplicates)} "
        "pairs of duplicates and near-duplicates found before the split."
    )


def _goal(study: Study) -> str:
    networks = f"{1 + len(study.others)} networks compared" if study.others else "one network"
    return f"Development and internal evaluation of image classifiers of {', '.join(study.classes)}: {networks}."


def _model(study: Study) -> str:
    size, cost = study.params.data.image_size, study.cost
    output = f"the probability of {study.positive}" if study.positive else "one probability per class"
    return (
        f"Network: {study.network}; input {size}x{size} RGB, output {output}; {count(cost['parameters'])} parameters, "
        f"{count(cost['trainable_parameters'])} trainable. Layers: bycase/networks."
    )


def _training(study: Study) -> str:
    return f"{training_words(study.params, study.model)}."


def _selection(study: Study) -> str:
    chosen = "setting of the head" if study.params.zoo[study.model].fitted_head else "epoch"
    words = f"The {chosen} with the best validation {short_metric_words(study.params.train.monitor)}."
    if not study.others:
        return words
    return (
        f"{words} Networks are compared out of fold; the best one's result is optimistic, since it was selected on it."
    )


def _ensembles(study: Study) -> str:
    if study.repeats == 1:
        return "None: each prediction is made by one network."
    return f"Reported beside single networks: the mean over {study.repeats} repeats (leaderboard.json, ensemble)."


def _metrics(study: Study) -> str:
    names = ", ".join(short_metric_words(metric) for metric in study.levels["image"]["ci"] if metric in METRICS)
    compared = (
        f" Pairs: t tests over {study.clusters} (AUC: clustered DeLong), McNemar, Holm-adjusted."
        if study.others
        else ""
    )
    levels = f"By image and by patient ({study.pooling.words})"
    return (
        f"{levels if study.patients_known else 'By image'}: {names}; ROC, precision-recall and "
        f"reliability curves; each beside a constant prediction.{compared}"
    )


def _statistics(study: Study) -> str:
    used = study.levels["image"]["ci"].get("resamples", study.params.evaluate.resamples)
    what = "patients, each with all its images" if study.patients_known else "images, duplicates together"
    return (
        f"95 % intervals over {what}: t intervals of the log odds (AUC: clustered DeLong), Clopper-Pearson of rates "
        f"with one unit a patient, else percentiles of {count(used)} bootstrap resamples."
    )


def _robustness(study: Study) -> str | None:
    names = ("robustness", "uncertainty", "leakage")
    return " ".join(study.analyses[name] for name in names if name in study.analyses) or None


def _performance(study: Study) -> str:
    levels = " ".join(
        f"By {name}: {describe_metric(level, 'auc')}, {describe_metric(level, 'accuracy')} (constant prediction "
        f"{share(level['baseline']['accuracy'])})."
        for name, level in study.levels.items()
    )
    subgroups = f" By {', '.join(study.subgroups)}: {study.page}." if study.subgroups else ""
    return f"{levels}{subgroups} {' '.join(study.verdicts)}".strip()


def _diagnostic(study: Study) -> str:
    metrics = [metric for metric in ("sensitivity", "specificity", "macro_f1") if metric in study.levels["image"]]
    return " ".join(
        f"By {name}: {', '.join(describe_metric(level, metric) for metric in metrics)}."
        for name, level in study.levels.items()
    )


def _clusters(study: Study) -> str:
    by = f"results by {', '.join(study.subgroups)} in {study.page}" if study.subgroups else "not examined by centre"
    clusters = "Patients are" if study.patients_known else "No patient is known: groups of duplicates are"
    return f"{clusters} the clusters of all intervals; {by}."


def _updating(study: Study) -> str:
    if study.calibration is None:
        return "None."
    before, after = study.calibration["before"], study.calibration["after"]
    return (
        f"Temperature scaling, fitted on validation: expected calibration error {error_with_test(before)} before, "
        f"{error_with_test(after)} after, in brackets what calibrated predictions would show and the p-value of a test "
        "of calibration; the results above are without it."
    )


def _imbalance(study: Study) -> str:
    weight = study.params.train.class_weight
    used = "None used." if weight == "none" else f"In the loss: {CLASS_WEIGHT_WORDS[weight]}."
    if study.params.train.sampling != "uniform":
        used = f"{capitalise(SAMPLING_WORDS[study.params.train.sampling])}."
    return f"{used} {_updating(study)}"


def _fairness(study: Study) -> str | None:
    known = [name for name in ("sex", "age", "site") if name in study.subgroups]
    return f"None beyond results by {', '.join(known)}." if known else None


def _output(study: Study) -> str:
    if study.positive is None:
        return "One probability per class; the most probable class is predicted."
    chosen = "by Youden's index" if study.params.evaluate.threshold == "youden" else "fixed in advance"
    return f"The probability of {study.positive}; the threshold is chosen on validation, never on test, {chosen}."


def _phantom_or(phantom: str, real: str | None) -> Answer:
    """One answer for generated images, another for real ones."""
    return lambda study: phantom if study.phantom else real


ANSWERS: dict[str, Answer | str] = {
    "acquisition": _phantom_or("Generated images; nothing was acquired.", None),
    "annotation": _phantom_or("The generator.", "The publisher's labels, unchanged; this project annotated nothing."),
    "availability": lambda study: (
        f"Code, parameters and the lock file of all data and results are in this repository. Data: {study.source}"
    ),
    "building": lambda study: f"{_training(study)} {_selection(study)} Internal validation: {study.partition}.",
    "calculation": lambda study: (
        f"By the saved Keras network; each image's probabilities are stored with its name. Tested: {study.tested}."
    ),
    "characteristics": lambda study: f"{study.subsets}. By class, subtype and magnification: metrics/data_card.md.",
    "clusters": _clusters,
    "deidentification": _phantom_or(
        "Not needed: the images are generated.", "None by this project: images and case names are used as published."
    ),
    "design": lambda study: (
        "Neither: the images are generated, there are no patients."
        if study.phantom
        else f"Retrospective: images published as {study.about.title}."
    ),
    "diagnostic": _diagnostic,
    "disjoint": _disjoint,
    "eligibility": _eligibility,
    "ensembles": _ensembles,
    "explanations": lambda study: study.analyses.get("explain"),
    "external": lambda study: study.external or "None: nothing was tested on data of another source.",
    "failures": lambda study: (
        f"The most confident errors{' and the patients with the most errors' * study.patients_known}: {study.page}, "
        "failure gallery."
    ),
    "fairness": _fairness,
    "flow": lambda study: (
        f"{missing_words(study.data.restructure)}. {_eligibility(study)} {capitalise(study.subsets)}."
    ),
    "goal": _goal,
    "imbalance": _imbalance,
    "initial": lambda study: (
        f"Weights: {study.network}; the head's and all random weights from seed {study.params.seed}."
    ),
    "intended_use": RESEARCH_ONLY,
    "internal": lambda study: (
        f"{'Internal' if study.external else 'Internal only'}, from the same source as training: {study.tested}."
    ),
    "interpretation": lambda study: f"{auc_verdict(study.levels)} {accuracy_verdict(study.levels['image'])}",
    "limitations": lambda study: " ".join(study.limits),
    "metrics": _metrics,
    "missing_data": _missing_data,
    "model": _model,
    "no_assessors": "Not applicable: nobody reads the images.",
    "output": _output,
    "partition": lambda study: f"{capitalise(study.partition)}. {capitalise(study.subsets)}. Seed {study.params.seed}.",
    "performance": _performance,
    "poor_input": "Unreadable files are refused; poor images are not recognised as such.",
    "predictors": "The pixels of one image; no clinical variable.",
    "preprocessing": lambda study: f"{preprocessing_words(study.params)}.",
    "protocol": lambda study: (
        f"The pipeline prepares no protocol. All settings: params.yaml; all steps: dvc.yaml; results: {study.page}."
    ),
    "quality": _quality,
    "reference": _reference,
    "robustness": _robustness,
    "sample_size": _sample_size,
    "selection": _selection,
    "setting": lambda study: (
        None if study.phantom else f"As published: {' '.join(study.about.limits)} {study.about.citation}."
    ),
    "software": lambda study: (
        f"Versions: {', '.join(f'{name} {version}' for name, version in study.versions.items())}; all pinned in "
        "requirements.txt."
    ),
    "sources": lambda study: study.source,
    "specification": (
        "The saved network (models/model.keras) and the code of this repository; input and output as in the model card."
    ),
    "statistics": _statistics,
    "subsets": _subsets,
    "summary": lambda study: f"{_goal(study)} {capitalise(study.partition)}. {_performance(study)}",
    "technology": lambda study: (
        f"Deep learning: convolutional neural networks ({'; '.join((study.network, *study.others))})."
    ),
    "test_annotation": lambda study: (
        f"As in the training set. {count(study.data.audit['cross_label']['pairs'])} pairs of duplicates carry two "
        "labels."
    ),
    "training": _training,
    "updating": _updating,
}
