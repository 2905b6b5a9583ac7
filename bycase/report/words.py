"""Sentences of the report: results in words that claim no more than the interval supports."""

from collections.abc import Iterable, Mapping, Sequence

from bycase.core.params import Params
from bycase.core.params_training import ALL, FITTED_HEADS
from bycase.core.wording import (
    Numbers,
    count,
    interval,
    metric_with_interval,
    p_equals,
    percent,
    share,
    signed,
    tenths,
    value_with_interval,
)
from bycase.statistics.metric_names import metric_words, short_metric_words
from bycase.statistics.power.resolution import METRICS, SCENARIOS

CI = "95 % CI"
CHANCE = 0.5  # AUC of a constant prediction
ALPHA = 0.05
CLASS_WEIGHT_WORDS = {
    "none": "class weights none",
    "balanced": "class weights balanced",
    "by_patient": "class weights balanced, and within a class its patients'",
}
SAMPLING_WORDS = {
    "uniform": "every image drawn once an epoch",
    "class": "classes drawn equally often",
    "patient": "classes drawn equally often, and within a class its patients",
    "magnification": "classes drawn equally often, and within a class its magnifications",
}
PHANTOM = "PHANTOM: generated images. They show that the pipeline works; no number here says anything about patients."


def describe_metric(level: Numbers, metric: str) -> str:
    """Such as ``AUC 0.871 (95 % CI 0.784 to 0.936)``."""
    return f"{short_metric_words(metric)} {metric_with_interval(level, metric, name=CI)}"


def metric_rows(levels: Sequence[Numbers], metrics: Iterable[str]) -> list[tuple[str, ...]]:
    """One row for each metric that some level has: its name, then its value at each level.

    Parameters
    ----------
    levels : sequence of mapping
        Each with metrics by name, and their intervals under ``ci``.
    metrics : iterable of str
        Rows, in order.
    """
    return [
        (metric_words(metric), *(metric_with_interval(level, metric) for level in levels))
        for metric in metrics
        if any(level.get(metric) is not None for level in levels)
    ]


def headline(network: str, data: str, tested: str, levels: Mapping[str, Numbers]) -> list[str]:
    """The main results, and whether they are better than a constant prediction's.

    Parameters
    ----------
    network, data, tested : str
        What was tested on what.
    levels : mapping
        ``image`` and, where they are known, ``patient``; see ``metrics/metrics.json``.
    """
    image = levels["image"]
    ranked = " and ".join(f"{level}-level {describe_metric(numbers, 'auc')}" for level, numbers in levels.items())
    first = (
        f"{network}, on {data}: {ranked}, on {tested}. Image-level {describe_metric(image, 'accuracy')}; a constant "
        f"prediction scores {share(image['baseline']['accuracy'])}."
    )
    return [first, f"{auc_verdict(levels)} {accuracy_verdict(image)}"]


def auc_verdict(levels: Mapping[str, Numbers]) -> str:
    """Whether the interval of the AUC by image excludes the AUC of a constant prediction; `levels` as in `headline`."""
    image = levels["image"]
    limits, size = image["ci"]["auc"], count(image["n_patients" if "patient" in levels else "n"])
    if limits["low"] > CHANCE:
        return f"The {CI} of the AUC lies above {CHANCE}, the AUC of a constant prediction."
    if limits["high"] < CHANCE:
        return f"The {CI} of the AUC lies below {CHANCE}: the network ranks worse than a constant prediction."
    return (
        f"The {CI} of the AUC includes {CHANCE}, the AUC of a constant prediction: these {size} "
        f"{'patients' if 'patient' in levels else 'images'} do not show that the network is better than a constant "
        "prediction."
    )


def accuracy_verdict(image: Numbers) -> str:
    """How the accuracy differs from that of a constant prediction, on the same images."""
    tested = image["over_constant"]["accuracy"]
    told = "not shown to differ from" if tested["p"] >= ALPHA else "above" if tested["difference"] > 0 else "below"
    return (
        f"The accuracy is {told} the {share(image['baseline']['accuracy'])} of a constant prediction: difference "
        f"{value_with_interval(tested['difference'], tested['ci'], signed, CI)}, {p_equals(tested['p'])}."
    )


def power_words(power: Numbers) -> str:
    """The smallest difference between two networks that the data can resolve, in each scenario."""
    assumed, parts = power["assumptions"], []
    for subset, name in (("test", "test set"), ("all", "all images, cross-validated")):
        resolution = power[subset]
        if resolution.get("n_patients"):
            values = ", ".join(f"{metric_words(metric)} {scenario_points(resolution, metric)}" for metric in METRICS)
            units = "groups, patients unknown" if "note" in power else "patients"
            parts.append(f"{name} ({count(resolution['n_patients'])} {units}): {values}")
    return (
        f"Smallest detectable difference between two networks in points (power {percent(assumed['power'])}, alpha "
        f"{assumed['alpha']:g}; {' / '.join(SCENARIOS)} assumptions): {'; '.join(parts)}."
    )


def scenario_points(resolution: Numbers, metric: str) -> str:
    """Such as ``8.4 / 12.9 / none``: what is found in each scenario, none where not even a perfect model is."""
    found = [resolution[scenario][f"{metric}_points"] for scenario in SCENARIOS]
    return " / ".join("none" if points is None else tenths(points) for points in found)


def uncertainty_words(uncertainty: Numbers) -> str:
    """How often conformal sets contain the true class, by image and, where they are known, by patient."""
    image, patient = uncertainty["conformal"]["image"], uncertainty["conformal"]["patient"]
    words = (
        f"Conformal prediction sets with a target coverage of {percent(uncertainty['coverage'])} contain the true "
        f"class of {percent(image['coverage'])} of test images when calibrated on validation images"
    )
    if "note" in uncertainty:
        return f"{words}."
    words = (
        f"{words}, and of {percent(patient['coverage'])} when calibrated on validation patients (mean over patients "
        f"{percent(patient['patient_coverage'])})."
    )
    if patient.get("conformal_threshold") != 0:
        return words
    n, attainable = count(patient["n_calibration"]), percent(patient["attainable"])
    return (
        f"{words} Calibrated on patients, every set contains every class: {n} validation patients allow a coverage of "
        f"{attainable} at most."
    )


def robustness_words(robustness: Numbers) -> str:
    """The mean loss over all corruptions, and the corruption that costs most."""
    mean = robustness["mean"]
    drops = {
        (corruption, severity): cell["auc_drop"]
        for corruption, cells in robustness["corruptions"].items()
        for severity, cell in cells.items()
    }
    corruption, severity = max(drops, key=lambda key: drops[key])
    return (
        "On average over all corruptions and severities, AUC falls by "
        f"{metric_with_interval(mean, 'auc_drop', name=CI)} and accuracy by {share(mean['accuracy_drop'])}; AUC falls "
        f"most under {corruption} at severity {severity} ({share(drops[corruption, severity])})."
    )


def leakage_words(leakage: Numbers) -> str:
    """How much better the same features look when a patient's images may be on both sides."""
    if "note" in leakage and leakage["strictest"] == "image":
        return "No patient is known, so that the effect of leakage on these data cannot be measured."
    inflation, drawn = leakage["inflation"], ""
    if leakage.get("n_images_in_all", 0) > leakage.get("n_images", 0):
        drawn = f", on {count(leakage['n_images'])} of {count(leakage['n_images_in_all'])} images"
    return (
        f"A linear head on fixed reference features scores {tenths(inflation['auc'])} points of AUC ({CI} "
        f"{interval(inflation['ci']['auc'], tenths)}) and {tenths(inflation['accuracy'])} points of accuracy higher "
        f"when the data are split by image instead of by {leakage['strictest']}{drawn}. This is the effect of leakage "
        "on these data."
    )


def leak_words(leaks: int, duplicates: int = 0, patients_known: bool = True) -> str:
    """Whether any case has images, or any pair of duplicates stands, on both sides of the split."""
    pairs = f"{duplicates} pairs of duplicates stand on both sides of the split"
    if not leaks and duplicates:
        return f"LEAKAGE: {pairs}."
    if not leaks and not patients_known:
        return "Whether a patient has images on both sides of the split is not known."
    if not leaks:
        return "No case has images on both sides of the split."
    also = f", and {pairs}" if duplicates else ""
    return f"LEAKAGE: {leaks} cases have images on both sides of the split{also}, so the results are too optimistic."


def missing_words(restructure: Numbers) -> str:
    """How many of the published images are present."""
    images, expected = restructure["images"], restructure.get("expected")
    if restructure.get("partial") and expected:
        return f"{count(images)} of {count(expected)} published images are present; results differ from the full set's"
    return (
        f"{count(images)} images, none of the published ones missing"
        if expected
        else f"{count(images)} images in total"
    )


def preprocessing_words(params: Params) -> str:
    """What is done to every image before a network sees it."""
    size, steps = params.data.image_size, params.preprocess
    words = [f"each image resized once to {size}x{size} pixels ({params.data.resize})"]
    if steps.stain != "none":
        words.append(f"stain normalised ({steps.stain}, fitted on the training set)")
    if steps.clip_limit:
        words.append(f"contrast-limited adaptive histogram equalisation (clip limit {steps.clip_limit:g})")
    if steps.denoise:
        words.append(f"denoised (strength {steps.denoise:g})")
    return "; ".join(words)


def training_words(params: Params, model: str) -> str:
    """How a network is trained."""
    network, train, augment = params.zoo[model], params.train, params.augment
    if network.fitted_head:
        how = {
            "logistic": "an L2 penalty by L-BFGS, every augmented view counted; the penalty",
            "neighbours": "votes by inverse distance; their number and the distance",
        }[network.fitted_head]
        return (
            f"backbone frozen, head fitted at once: {FITTED_HEADS[network.fitted_head]} with {how} chosen by "
            f"validation {metric_words(train.monitor)}; {CLASS_WEIGHT_WORDS[train.class_weight]}"
        )
    layers = "backbone frozen, head trained" if network.mode == "frozen" else "all layers trained"
    if network.mode == "frozen" and network.unfreeze.layers:
        top = "all" if network.unfreeze.layers == ALL else f"the top {network.unfreeze.layers}"
        layers += f", then {top} layers fine-tuned, batch norm {network.unfreeze.batch_norm}"
    changes = [
        f"{name} {value}"
        for name, value in augment.model_dump().items()
        if value not in (0, "none") and (name, value) != ("crop", 1)
    ]
    return (
        f"{layers}; {network.optimizer}, learning rate {network.learning_rate:g}, weight decay "
        f"{network.weight_decay:g}, batch size {network.batch_size}, at most {network.epochs} epochs, early stopping "
        f"after {network.patience} epochs without a better validation {metric_words(train.monitor)}; loss "
        f"{train.loss.replace('_', ' ')}, {CLASS_WEIGHT_WORDS[train.class_weight]}, {SAMPLING_WORDS[train.sampling]}, "
        f"schedule {train.schedule}; augmentation: "
        f"{', '.join(changes) or 'none'}"
    )
