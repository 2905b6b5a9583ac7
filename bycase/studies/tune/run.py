"""All of `tuning/dvc.yaml`, or some of its stages."""

from collections.abc import Sequence

from bycase.core.errors import UserError
from bycase.studies.pipelines import run_dvc, show_pipeline
from bycase.studies.tune.outcome.searches import PIPELINE


def run_tuning(stages: Sequence[str]) -> None:
    """Run the searches; what is up to date is left.

    Parameters
    ----------
    stages : sequence of str
        Names of stages, with what they need; none for all.

    Raises
    ------
    UserError
        If DVC ends with an error, which it has shown.
    """
    show_pipeline(PIPELINE)
    if not run_dvc("repro", *([f"{PIPELINE}:{stage}" for stage in stages] or [PIPELINE])):
        raise UserError(f"{PIPELINE} did not finish, for the reason above")
