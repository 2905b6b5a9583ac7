"""Which patient an image is of, by its path: as in training, wherever the folder lies now."""

from collections.abc import Callable, Iterable
from pathlib import PurePosixPath

from bycase.apps.classifier.info import PatientsInfo
from bycase.core.params_data import DatasetParams
from bycase.core.params_layouts import TableParams, Where
from bycase.datasets.layouts.naming import PathReader

NAME = "patient"


def describe_patients(data: DatasetParams, sources: Iterable[str]) -> PatientsInfo | None:
    """Where paths say the patient, from a data set's entry and the training images' paths below the raw folder.

    None where they do not: another layout, a column of a table, or nothing.
    """
    place = data.folders.places.get(NAME) if data.folders else _of_table(data.table) if data.table else None
    if place is None and data.folders:
        groups = (each for each in data.folders.places.values() if isinstance(each, str) and f"(?P<{NAME}>" in each)
        place = next(groups, None)
    if place is None or (data.table and isinstance(place, str) and "(" not in place):
        return None
    depths = {len(PurePosixPath(source).parts) - 1 for source in sources}
    return PatientsInfo(place=place, depth=depths.pop() if len(depths) == 1 else None)


def _of_table(table: TableParams) -> Where | None:
    """A row of all images of a patient is found by what its name is in the path."""
    return table.match if table.match is not None and table.patient == table.image else table.patient


def patient_finder(patients: PatientsInfo) -> Callable[[str], str]:
    """A function from an image's name, as predictions give it, to its patient; empty where the name does not say it."""
    reader = PathReader({NAME: patients.place}, "patients")

    def find(name: str) -> str:
        parts = PurePosixPath(name).parts
        kept = parts if patients.depth is None else parts[-patients.depth - 1 :]
        try:
            return reader.read(PurePosixPath(*kept)).get(NAME, "")
        except ValueError:
            return ""

    return find
