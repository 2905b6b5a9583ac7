"""What `params.yaml` says under `explain`."""

from dataclasses import dataclass

from stages.common.params import Params


@dataclass(frozen=True)
class ExplainSettings:
    """How maps are drawn and scored.

    Attributes
    ----------
    method : {'grad_cam', 'grad_cam_plus_plus'}
        Drawn in ``plots/explanations.png``; both are scored.
    examples : int
        Of each outcome, or each class, in that figure.
    images : int
        Test images that the scores rest on.
    steps : int
        Of deletion and insertion.
    randomisations : int
        Networks with random weights in the sanity check.
    """

    method: str = "grad_cam"
    examples: int = 3
    images: int = 24
    steps: int = 10
    randomisations: int = 3


def explain_settings(params: Params) -> ExplainSettings:
    """The section `explain`, or its defaults where the file has none."""
    settings: ExplainSettings = getattr(params, "explain", ExplainSettings())
    return settings
