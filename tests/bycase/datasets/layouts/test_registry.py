from collections.abc import Callable
from typing import Any

import pytest

from bycase.core.params import Params
from bycase.core.params_layouts import FoldersParams
from bycase.datasets.layouts.registry import about_dataset


@pytest.mark.parametrize(
    ("patient", "group", "note"),
    [
        (1, "patient", "What stands for a patient is read by datasets.mine.folders.patient; whether it is one"),
        (None, "image", "No patient is named: one patient's images may stand in several groups"),
    ],
)
def test_of_own_images_it_is_said_what_stands_for_a_patient(
    make_params: Callable[[dict[str, Any]], Params], patient: int | None, group: str, note: str
) -> None:
    folders = FoldersParams.model_validate({"patient": patient})
    data = make_params({}).datasets["busi"].model_copy(update={"layout": "folders", "folders": folders})
    about = about_dataset(data, "mine")
    assert (about.title, about.group) == ("mine, images of the user's own", group)
    assert about.group_note.startswith(note)
