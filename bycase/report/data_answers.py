"""What the pipeline knows of a study's data, by what a checklist asks for."""

from collections.abc import Callable

from bycase.core.wording import count
from bycase.report.limits import source_words
from bycase.report.study import Study
from bycase.report.words import leak_words, missing_words, preprocessing_words, sentence

Answer = Callable[[Study], str | None]


def _design(study: Study) -> str:
    if study.phantom:
        return "Neither: the images are generated, there are no patients."
    return f"Retrospective: images published as {study.about.title}."


def _setting(study: Study) -> str | None:
    return None if study.phantom else f"As published: {' '.join(study.about.limits)} {study.about.citation}."


def _eligibility(study: Study) -> str:
    rejected, copies = len(study.restructure["rejected"]), len(study.restructure["copies"])
    return (
        f"Every image that can be read was included; left out were {count(rejected)} unusable files and "
        f"{count(copies)} copies of another file (metrics/restructure.json)."
    )


def _subsets(study: Study) -> str:
    magnifications = study.params.split.magnifications
    chosen = f"Only {', '.join(f'{m}X' for m in magnifications)} images. " if magnifications else ""
    return f"{chosen}{missing_words(study.restructure)}."


def _deidentification(study: Study) -> str:
    if study.phantom:
        return "Not needed: the images are generated."
    return "None by this project: images and case names are used as published."


def _missing_data(study: Study) -> str:
    absent = len(study.restructure.get("rows_without_image", []))
    return (
        f"Nothing is imputed. {missing_words(study.restructure)}. Rows of metadata without an image: {count(absent)}."
    )


def _acquisition(study: Study) -> str | None:
    return "Generated images; nothing was acquired." if study.phantom else None


def _reference(study: Study) -> str:
    if study.phantom:
        return f"The class that each image was drawn as: {', '.join(study.classes)}."
    return f"The publisher's label of each image: {', '.join(study.classes)}. {study.about.citation}."


def _annotation(study: Study) -> str:
    return "The generator." if study.phantom else "The publisher's labels, unchanged; this project annotated nothing."


def _test_annotation(study: Study) -> str:
    return f"As the training part's. {count(study.audit['cross_label']['pairs'])} pairs of duplicates carry two labels."


def _partition(study: Study) -> str:
    return f"{sentence(study.partition)}. {sentence(study.parts)}. Seed {study.seed}."


def _disjoint(study: Study) -> str:
    merged = " Duplicates are joined to one group before the split." if study.params.split.merge_duplicates else ""
    return f"Disjoint by {study.group}. {leak_words(study.leaks)}{merged}"


def _sample_size(study: Study) -> str:
    image = study.levels["image"]
    return (
        f"All images there are: {study.parts}. Tested: {count(image['n_patients'])} patients. {study.analyses['power']}"
    )


def _flow(study: Study) -> str:
    return f"{missing_words(study.restructure)}. {_eligibility(study)} {sentence(study.parts)}."


def _characteristics(study: Study) -> str:
    return f"{study.parts}. By class, subtype and magnification: metrics/data_card.md."


def _quality(study: Study) -> str:
    pairs = study.audit["pairs"]
    found = sum(pairs[kind]["total"] for kind in pairs)
    return (
        f"{preprocessing_words(study.params)}. Quality: unreadable files and copies left out, "
        f"{count(found)} pairs of duplicates and near-duplicates found before the split."
    )


def _preprocessing(study: Study) -> str:
    return f"{sentence(preprocessing_words(study.params))}."


def _predictors(_: Study) -> str:
    return "The pixels of one image; no clinical variable."


def _no_assessors(_: Study) -> str:
    return "Not applicable: pixels are read by no one."


DATA_ANSWERS: dict[str, Answer] = {
    "acquisition": _acquisition,
    "annotation": _annotation,
    "characteristics": _characteristics,
    "deidentification": _deidentification,
    "design": _design,
    "disjoint": _disjoint,
    "eligibility": _eligibility,
    "flow": _flow,
    "missing_data": _missing_data,
    "no_assessors": _no_assessors,
    "partition": _partition,
    "predictors": _predictors,
    "preprocessing": _preprocessing,
    "quality": _quality,
    "reference": _reference,
    "sample_size": _sample_size,
    "setting": _setting,
    "sources": source_words,
    "subsets": _subsets,
    "test_annotation": _test_annotation,
}
