"""The report's sentences: what came out, in words that claim no more than the interval holds."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bycase.core.params import Params
from bycase.core.wording import Numbers, count, interval, metric_with_interval, percent, share, tenths
from bycase.statistics.metric_names import metric_words, short_metric_words

CHANCE = 0.5  # AUC of a constant prediction
LEVELS = {"image": "by image", "patient": "by patient"}
PHANTOM = "PHANTOM: generated images. They show that the pipeline works; no number here says anything about patients."


def sentence(words: str) -> str:
    """The same beginning with a capital."""
    return words[:1].upper() + words[1:]


def describe_metric(level: Numbers, metric: str) -> str:
    """Such as ``AUC 0.871 (95 % CI 0.784 to 0.936)``."""
    return f"{short_metric_words(metric)} {metric_with_interval(level, metric, name='95 % CI')}"


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
    """What came out, and whether it is more than a constant prediction scores.

    Parameters
    ----------
    network, data, tested : str
        What was tested on what.
    levels : mapping
        ``image`` and ``patient``; see ``metrics/metrics.json``.
    """
    image, patient = levels["image"], levels["patient"]
    constant = image["baseline"]["accuracy"]
    first = (
        f"{network}, on {data}: {describe_metric(image, 'auc')} by image and {describe_metric(patient, 'auc')} by "
        f"patient, on {tested}. Accuracy by image is {metric_with_interval(image, 'accuracy', name='95 % CI')}; a "
        f"constant prediction scores {share(constant)}."
    )
    return [first, f"{auc_verdict(image)} {accuracy_verdict(image)}"]


def auc_verdict(image: Numbers) -> str:
    """Whether the interval of the AUC leaves out what a constant prediction scores."""
    limits = image["ci"]["auc"]
    if limits["low"] > CHANCE:
        return f"The AUC's interval lies above {CHANCE}, which a constant prediction scores."
    if limits["high"] < CHANCE:
        return f"The AUC's interval lies below {CHANCE}: the network ranks worse than a constant prediction."
    return (
        f"The AUC's interval includes {CHANCE}, which a constant prediction scores: these {image['n_patients']} "
        "patients do not show that the network is better than a constant."
    )


def accuracy_verdict(image: Numbers) -> str:
    """The same of the accuracy."""
    limits, constant = image["ci"]["accuracy"], image["baseline"]["accuracy"]
    if limits["low"] > constant:
        return f"The accuracy's interval lies above the {share(constant)} of a constant prediction."
    if limits["high"] < constant:
        return f"The accuracy's interval lies below the {share(constant)} of a constant prediction."
    return f"The accuracy's interval includes the {share(constant)} of a constant prediction."


def power_words(power: Numbers) -> str:
    """What difference between two networks the data can resolve."""
    assumed, parts = power["assumptions"], []
    for part, name in (("test", "the test part"), ("all", "all images, cross-validated")):
        found = power[part]
        if found.get("n_patients"):
            metrics = {"accuracy": found["accuracy_points"], "AUC": found["auc_points"]}
            values = ", ".join(
                f"{metric} {value:.1f} points" if value is not None else f"{metric} none"
                for metric, value in metrics.items()
            )
            parts.append(f"{name} ({count(found['n_patients'])} patients): {values}")
    return (
        f"Smallest difference between two networks found with a power of {percent(assumed['power'])} at alpha "
        f"{assumed['alpha']:g}: {'; '.join(parts)}."
    )


def uncertainty_words(uncertainty: Numbers) -> str:
    """How often conformal sets hold the truth, by image and by patient."""
    image, patient = uncertainty["conformal"]["image"], uncertainty["conformal"]["patient"]
    words = (
        f"Conformal prediction sets of a stated coverage of {percent(uncertainty['coverage'])}, calibrated on "
        f"validation images, hold the truth for {percent(image['coverage'])} of test images; calibrated on validation "
        f"patients, for {percent(patient['coverage'])}, averaged over patients {percent(patient['patient_coverage'])}."
    )
    if patient.get("least_probability") != 0:
        return words
    n, attainable = count(patient["n_calibration"]), percent(patient["attainable"])
    return f"{words} By patient every set holds every class: {n} validation patients allow {attainable} at most."


def robustness_words(robustness: Numbers) -> str:
    """What damaged images cost on average, and which damage costs most."""
    mean, worst = robustness["mean"], _worst(robustness["corruptions"])
    words = f"Over all corruptions and severities AUC falls by {share(mean['auc_drop'])}"
    if "auc_drop" in mean.get("ci", {}):
        words += f" (95 % CI {interval(mean['ci']['auc_drop'])})"
    return f"{words}, accuracy by {share(mean['accuracy_drop'])}; most AUC is lost under {worst}."


def _worst(corruptions: Mapping[str, Any]) -> str:
    drops = {(name, severity): of["auc_drop"] for name, by in corruptions.items() for severity, of in by.items()}
    name, severity = max(drops, key=lambda key: drops[key])
    return f"{name} of severity {severity} ({share(drops[name, severity])})"


def leakage_words(leakage: Numbers) -> str:
    """How much better the same features look when a patient's images may be on both sides."""
    inflation, strictest = leakage["inflation"], leakage["strictest"]
    return (
        f"A linear head on fixed reference features gains {tenths(inflation['auc'])} points of AUC (95 % CI "
        f"{interval(inflation['ci']['auc'], tenths)}) and {tenths(inflation['accuracy'])} "
        f"points of accuracy when it is split by image instead of by {strictest}: what leakage is worth on these data."
    )


def leak_words(leaks: int) -> str:
    """What stands on both sides of the split."""
    if not leaks:
        return "No case has images on both sides of the split."
    return f"LEAKS: {leaks} cases have images on both sides of the split; the results flatter the network."


def missing_words(restructure: Numbers) -> str:
    """How many of the published images are here."""
    images, expected = restructure["images"], restructure.get("expected")
    if restructure.get("partial") and expected:
        return f"{count(images)} of {count(expected)} published images are here; these are not figures for the full set"
    return (
        f"{count(images)} images, none of the published ones missing" if expected else f"{count(images)} images in all"
    )


def preprocessing_words(params: Params) -> str:
    """What is done to every image before a network sees it."""
    size, steps = params.data.image_size, params.preprocess
    done = [f"each image resized once to {size}x{size} pixels ({params.data.resize})"]
    if steps.stain != "none":
        done.append(f"stain normalised ({steps.stain}, fitted on the training part)")
    if steps.clip_limit:
        done.append(f"contrast-limited adaptive histogram equalisation, clip limit {steps.clip_limit:g}")
    if steps.denoise:
        done.append(f"denoised with strength {steps.denoise:g}")
    return "; ".join(done)


def training_words(params: Params, model: str) -> str:
    """How a network is trained."""
    network, train, augment = params.zoo[model], params.train, params.augment
    body = "backbone frozen, head trained" if network.mode == "frozen" else "all layers trained"
    if network.mode == "frozen" and network.unfreeze.layers:
        body += f", then the top {network.unfreeze.layers} layers fine-tuned"
    changes = [f"{name} {value}" for name, value in augment.model_dump().items() if value not in (0, "none")]
    changes = [change for change in changes if change not in ("crop 1.0", "crop 1")]
    return (
        f"{body}; {network.optimizer}, learning rate {network.learning_rate:g}, weight decay {network.weight_decay:g}, "
        f"batches of {network.batch_size}, at most {network.epochs} epochs, stopped after {network.patience} without a "
        f"better validation {train.monitor}; loss {train.loss.replace('_', ' ')}, class weights {train.class_weight}, "
        f"schedule {train.schedule}; augmentation: {', '.join(changes) or 'none'}"
    )
