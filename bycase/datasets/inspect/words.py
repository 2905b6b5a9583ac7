"""An inspection for a reader: a line a finding, what is missing, and what to choose."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from bycase.datasets.inspect.groups import Choice, Reading, describe_groups
from bycase.datasets.inspect.inspection import Inspection, describe_reading
from bycase.datasets.inspect.tables import Table
from bycase.datasets.layouts.listing import Listing
from bycase.images.formats import IMAGE_SUFFIXES
from bycase.tables.manifest import PATIENTS_UNKNOWN

FEWEST_PATIENTS = 3  # of a class: one each for train, val and test
TITLES = {"breakhis": "BreakHis", "busi": "BUSI", "ham10000": "HAM10000"}
ADD = (
    "add a column, a folder or a part of the name that says whose each image is, and name it by --patient "
    "(a column, a folder level or an expression)"
)


def report(inspection: Inspection) -> list[str]:
    """The lines of the report, without the entry."""
    rows = [("layout", _layout(inspection)), *_label_rows(inspection)]
    rows += [("images", _images(inspection)), *_patient_rows(inspection)]
    rows += list(_further(inspection))
    if inspection.listing:
        rows += list(_listing_rows(inspection.listing))
    rows.append(("duplicates", _duplicates(inspection)))
    rows += [("missing", words) for words in _missing(inspection)]
    return [f"{name:<11} {words}" for name, words in rows]


def questions(inspection: Inspection) -> list[tuple[str, list[str]]]:
    """What only a person knows: the option, and what may be given to it."""
    asked = []
    if inspection.label.rivals:
        asked.append(("label", [str(each.place) for each in inspection.label.rivals]))
    if inspection.patient.rivals:
        asked.append(("patient", [*(str(each.place) for each in inspection.patient.rivals), "none"]))
    return asked


def _layout(inspection: Inspection) -> str:
    kind = {"folder": "a folder", "archive": "an archive", "table": "a table"}[inspection.found.kind]
    if inspection.layout in TITLES:
        return f"{inspection.layout}: {kind} as {TITLES[inspection.layout]} is published"
    how = _rows(inspection.table) if inspection.table else ""
    if inspection.layout == "folders" and inspection.label.chosen and inspection.label.chosen.place in (1, 2, -1):
        how = _reads_alike(inspection)
    return f"{inspection.layout}: {kind} of images{how}"


def _reads_alike(inspection: Inspection) -> str:
    """What else reads such a folder: images in a folder a class, or those in a folder a part."""
    depths = {len(image.source.parts) for image in inspection.listing.images} if inspection.listing else set()
    parts = inspection.entry and inspection.entry["folders"].get("part") == "auto"
    level = inspection.label.chosen.place if inspection.label.chosen else 0
    if (level == 1 and depths == {2}) or (level == 2 and depths == {3} and parts):
        return ", one a class as for Keras' image_dataset_from_directory, ImageFolder and Hugging Face's imagefolder"
    return ""


def _rows(table: Table) -> str:
    file = table.file if isinstance(table.file, str) else ", ".join(table.file.values())
    if table.match is None:
        return f", images in column {table.image} of {file}"
    place = f"folder level {table.match}" if isinstance(table.match, int) else f"a part of the name, {table.match}"
    return f", several a row of {file}: column {table.image} is {place}"


def _label_rows(inspection: Inspection) -> Iterator[tuple[str, str]]:
    if inspection.label.rivals:
        for place, each in enumerate(inspection.label.rivals):
            yield "classes" if place == 0 else "", f"--label {_quoted(each)}: {_counts(Counter(each.values))}?"
        return
    listing = inspection.listing
    counts = Counter(image.label for image in listing.images) if listing else Counter(inspection.labels)
    where = inspection.label.chosen.words if inspection.label.chosen else ""
    if not where and inspection.entry and inspection.entry["table"]:
        where = "one column each"
    yield "classes", _counts(counts) + (f" ({where})" if where else "")


def _counts(counts: Counter[str]) -> str:
    listed = [f"{name or 'unnamed'} {n}" for name, n in sorted(counts.items())]
    return ", ".join(listed[:12]) + (f" and {len(listed) - 12} more" if len(listed) > 12 else "")


def _images(inspection: Inspection) -> str:
    look = inspection.look
    kinds = [f"{n} {kind.removeprefix('.').upper()}" for kind, n in inspection.kinds.items() if kind in IMAGE_SUFFIXES]
    sizes = [f"{width} x {height}" for (width, height), _ in look.sizes.most_common(3)]
    more = f" and {len(look.sizes) - 3} other sizes" if len(look.sizes) > 3 else ""
    notes = "".join(f"; {note}: {n} of {look.looked_at}" for note, n in look.notes.most_common())
    return (
        f"{', '.join(kinds)}; of {look.looked_at} looked at: {', '.join(sizes) or 'none readable'}{more} pixels{notes}"
    )


def _patient_rows(inspection: Inspection) -> Iterator[tuple[str, str]]:
    choice: Choice = inspection.patient
    if choice.chosen:
        yield "patient", describe_reading(choice.chosen, inspection.labels)
        for each in choice.agreeing[:2]:
            yield "", f"{each.words} says the same"
        for each in choice.finer[:2]:
            words = describe_reading(each, inspection.labels)
            yield "", f"or these divided further, --patient {_quoted(each)}: {words.partition(': ')[2]}?"
    elif choice.rivals:
        for place, each in enumerate(choice.rivals):
            words = describe_reading(each, inspection.labels)
            yield "patient" if place == 0 else "", f"--patient {_quoted(each)}: {words.partition(': ')[2]}?"
        if len(choice.rivals) == 1:
            yield "", "or the same number in several classes is not the same patient: --patient none"
    elif inspection.layout in TITLES and inspection.layout != "busi" and inspection.listing:
        values = [image.case for image in inspection.listing.images]
        groups = describe_groups(values, [image.label for image in inspection.listing.images])
        what = "lesion" if inspection.layout == "ham10000" else "case"
        yield (
            "patient",
            f"{what}, as published: {groups.number}, {groups.images:g} images each, "
            f"such as {', '.join(groups.examples)}",
        )
    else:
        yield "patient", f"nothing names one; {PATIENTS_UNKNOWN}"


def _quoted(reading: Reading) -> str:
    text = str(reading.place)
    return text if text.replace("-", "").replace("_", "").isalnum() else f"'{text}'"


def _further(inspection: Inspection) -> Iterator[tuple[str, str]]:
    """Tables beside the one that names the classes."""
    table = inspection.table
    joined = inspection.entry and inspection.entry["table"] and inspection.entry["table"].get("join")
    for name in table.others if table else ():
        if joined and joined["file"] == name:
            yield "further", f"{name} is joined by {joined['key']}"
        else:
            yield "further", f"{name} names the images too, but no class; table.join in params.yaml joins it"


def _listing_rows(listing: Listing) -> Iterator[tuple[str, str]]:
    parts = Counter(image.part for image in listing.images if image.part)
    folds = Counter(image.fold for image in listing.images if image.fold)
    if parts:
        yield "parts", f"{_counts(parts)}{_leak([(i.case, i.part) for i in listing.images if i.part])}"
    if folds:
        yield "folds", f"{_counts(folds)}{_leak([(i.case, i.fold) for i in listing.images if i.fold])}"
    groups = [name for name in ("age", "sex", "site") if any(getattr(image, name) for image in listing.images)]
    groups += {name: None for image in listing.images for name, value in image.more.items() if value}
    if groups:
        yield "subgroups", ", ".join(groups)
    masks = sum(bool(image.masks) for image in listing.images)
    if masks:
        yield "masks", f"of {masks} images"


def _leak(pairs: list[tuple[str, str]]) -> str:
    there: dict[str, set[str]] = defaultdict(set)
    for case, part in pairs:
        there[case].add(part)
    straddling = sorted(case for case, parts in there.items() if len(parts) > 1)
    if not straddling:
        return "; no patient in two of them"
    return f"; LEAK: {len(straddling)} of {len(there)} patients in more than one, {straddling[0]} among them"


def _duplicates(inspection: Inspection) -> str:
    copies, browser = inspection.copies, inspection.browser
    folder = {image.source: image for image in inspection.listing.images} if inspection.listing else {}
    across = sum(len({folder[path].label for path in group if path in folder}) > 1 for group in copies)
    words = []
    if copies:
        words.append(
            f"{sum(map(len, copies)) - len(copies)} files are byte for byte copies, such as {_names(copies[0][:2])}"
            + (f"; {across} pictures stand under two classes" if across else "")
        )
    if browser:
        words.append(f"{len(browser)} files are named as copies, such as {_names(browser[:1])}")
    return "; ".join(words) or "none at a glance (audit compares the pictures)"


def _names(paths: list[Path]) -> str:
    return " = ".join(path.as_posix() for path in paths)


def _missing(inspection: Inspection) -> Iterator[str]:
    if not inspection.patient.chosen and not inspection.patient.rivals and inspection.layout not in TITLES:
        yield f"patients; {ADD}"
    for path, reason in inspection.look.bad[:1]:
        some = f"{len(inspection.look.bad)} of {inspection.look.looked_at} pictures looked at"
        yield f"{some} cannot be used, such as {path.as_posix()}: {reason}"
    listing = inspection.listing
    if listing is None:
        return
    if listing.rejected:
        first = listing.rejected[0]
        yield f"{len(listing.rejected)} images are left out, such as {first.source.as_posix()}: {first.reason}"
    if listing.rows_without_image:
        yield f"images of {len(listing.rows_without_image)} rows, such as {listing.rows_without_image[0]}"
    cases = defaultdict(set)
    for image in listing.images:
        cases[image.label].add(image.case)
    for label, there in sorted(cases.items()):
        if len(there) < FEWEST_PATIENTS:
            what = "patient" if inspection.patient.chosen else "image or patient"
            yield f"class {label} has {len(there)} {what}{'s' * (len(there) > 1)}, too few for train, val and test"
    parts = defaultdict(set)
    for image in listing.images:
        parts[image.part].add(image.label)
    for part, labels in sorted(parts.items()):
        if part and len(labels) < len(cases):
            yield f"class {', '.join(sorted(set(cases) - labels))} in part {part}"
    if parts.keys() & {"train", "test"} and "" in parts:
        yield f"the part of {sum(not image.part for image in listing.images)} images"
