"""What the pipeline knows of a study, by what a checklist asks for."""

from bycase.core.wording import count, share
from bycase.report.data_answers import DATA_ANSWERS, Answer
from bycase.report.limits import limit_words, research_only, source_words
from bycase.report.study import Study
from bycase.report.words import accuracy_verdict, auc_verdict, describe_metric, sentence, training_words
from bycase.statistics.metric_names import METRICS, short_metric_words


def _technology(study: Study) -> str:
    return f"Deep learning: convolutional neural networks ({'; '.join((study.network, *study.others))})."


def _summary(study: Study) -> str:
    return f"{_goal(study)} {sentence(study.partition)}. {_performance(study)}"


def _goal(study: Study) -> str:
    networks = f"{1 + len(study.others)} networks compared" if study.others else "one network"
    return f"Development and internal evaluation of image classifiers of {', '.join(study.classes)}: {networks}."


def _model(study: Study) -> str:
    size, cost = study.params.data.image_size, study.cost
    output = f"the probability of {study.positive}" if study.positive else "one probability a class"
    return (
        f"Network: {study.network}; input {size}x{size} RGB, output {output}; {count(cost['parameters'])} "
        f"parameters, {count(cost['trainable_parameters'])} trainable. Layers: stages/zoo."
    )


def _software(study: Study) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in study.versions.items())
    return f"Versions: {versions}; all pinned in requirements.txt."


def _initial(study: Study) -> str:
    return f"Weights: {study.network}; the head's and all random weights from seed {study.seed}."


def _training(study: Study) -> str:
    return f"{training_words(study.params, study.model)}."


def _selection(study: Study) -> str:
    words = f"The epoch of the best validation {study.params.train.monitor}."
    return (
        f"{words} Networks are compared out of fold; the best one's result is flattered by that."
        if study.others
        else words
    )


def _ensembles(study: Study) -> str:
    if study.repeats == 1:
        return "None: one network makes each prediction."
    return f"Reported beside single networks: the mean over {study.repeats} repeats (leaderboard.json, ensemble)."


def _metrics(study: Study) -> str:
    names = [short_metric_words(metric) for metric in study.levels["image"]["ci"] if metric in METRICS]
    compared = " Pairs: paired bootstrap over patients, DeLong, McNemar, Holm-corrected." if study.others else ""
    return (
        f"By image and by patient (a patient's mean probability): {', '.join(names)}; ROC, precision-recall and "
        f"reliability curves; each beside a constant prediction.{compared}"
    )


def _statistics(study: Study) -> str:
    used = study.levels["image"]["ci"].get("resamples", study.params.evaluate.resamples)
    return f"95 % intervals from {count(used)} bootstrap resamples of patients, all images of a patient together."


def _robustness(study: Study) -> str | None:
    words = [study.analyses[name] for name in ("robustness", "uncertainty", "leakage") if name in study.analyses]
    return " ".join(words) or None


def _explanations(study: Study) -> str | None:
    return study.analyses.get("explain")


def _internal(study: Study) -> str:
    return f"Internal only, from the same source as training: {study.tested}."


def _external(_: Study) -> str:
    return "None: nothing was tested on data of another source."


def _performance(study: Study) -> str:
    image, patient = study.levels["image"], study.levels["patient"]
    words = (
        f"By image: {describe_metric(image, 'auc')}, {describe_metric(image, 'accuracy')} (constant prediction "
        f"{share(image['baseline']['accuracy'])}). By patient: {describe_metric(patient, 'auc')}, "
        f"{describe_metric(patient, 'accuracy')} (constant prediction {share(patient['baseline']['accuracy'])})."
    )
    by = f" By {', '.join(study.subgroups)}: {study.page}." if study.subgroups else ""
    return f"{words}{by} {' '.join(study.verdicts)}".strip()


def _diagnostic(study: Study) -> str:
    metrics = [metric for metric in ("sensitivity", "specificity", "macro_f1") if metric in study.levels["image"]]
    return " ".join(
        f"By {level}: {', '.join(describe_metric(of, metric) for metric in metrics)}."
        for level, of in study.levels.items()
    )


def _failures(study: Study) -> str:
    return f"The surest mistakes and the patients with most of them: {study.page}, failure gallery."


def _limitations(study: Study) -> str:
    return " ".join(limit_words(study))


def _protocol(study: Study) -> str:
    return f"No protocol was prepared by the pipeline. Every setting: params.yaml; every step: dvc.yaml; {study.page}."


def _availability(study: Study) -> str:
    return f"Code, parameters and lock of all data and results stand in this repository. Data: {source_words(study)}"


def _building(study: Study) -> str:
    return f"{_training(study)} {_selection(study)} Internal validation: {study.partition}."


def _clusters(study: Study) -> str:
    by = f"results by {', '.join(study.subgroups)} in {study.page}" if study.subgroups else "not examined by centre"
    return f"Patients are the clusters of the bootstrap; {by}."


def _updating(study: Study) -> str:
    if study.calibration is None:
        return "None."
    before, after = study.calibration["before"], study.calibration["after"]
    return (
        f"Temperature scaling, fitted on validation: {describe_metric(before, 'ece')} before, "
        f"{describe_metric(after, 'ece')} after; the results above are without it."
    )


def _calculation(study: Study) -> str:
    return f"By the saved Keras network; each image's probabilities are kept with its name. Tested: {study.tested}."


def _imbalance(study: Study) -> str:
    weight = study.params.train.class_weight
    used = "None used." if weight == "none" else f"Class weights in the loss: {weight}."
    return f"{used} {_updating(study)}"


def _fairness(study: Study) -> str | None:
    known = [name for name in ("sex", "age", "site") if name in study.subgroups]
    return f"None beyond results by {', '.join(known)}." if known else None


def _output(study: Study) -> str:
    if study.positive is None:
        return "One probability a class; the most probable class is called."
    chosen = "by Youden's index" if study.params.evaluate.threshold == "youden" else "fixed in advance"
    return f"The probability of {study.positive}; the threshold is chosen on validation, never on test, {chosen}."


def _specification(_: Study) -> str:
    return (
        "The saved network (models/model.keras) and the code of this repository; input and output as in the model card."
    )


def _interpretation(study: Study) -> str:
    image = study.levels["image"]
    return f"{auc_verdict(image)} {accuracy_verdict(image)}"


def _poor_input(_: Study) -> str:
    return "Files that cannot be read are refused; poor images are not recognised as such."


ANSWERS: dict[str, Answer] = {
    **DATA_ANSWERS,
    "availability": _availability,
    "building": _building,
    "calculation": _calculation,
    "clusters": _clusters,
    "diagnostic": _diagnostic,
    "ensembles": _ensembles,
    "external": _external,
    "explanations": _explanations,
    "failures": _failures,
    "fairness": _fairness,
    "goal": _goal,
    "imbalance": _imbalance,
    "initial": _initial,
    "intended_use": research_only,
    "internal": _internal,
    "interpretation": _interpretation,
    "limitations": _limitations,
    "metrics": _metrics,
    "model": _model,
    "output": _output,
    "performance": _performance,
    "poor_input": _poor_input,
    "protocol": _protocol,
    "robustness": _robustness,
    "selection": _selection,
    "software": _software,
    "specification": _specification,
    "statistics": _statistics,
    "summary": _summary,
    "technology": _technology,
    "training": _training,
    "updating": _updating,
}
