"""`python -m bycase.studies.tune.stages.gather`: the best settings, their nested score, tables and figures."""

from bycase.core.command import run_stage
from bycase.core.params import load_params
from bycase.studies.tune.outcome.gather import gather
from bycase.studies.tune.params import load_tuning_params


def main() -> None:
    """Write ``data/tuning/best.yaml``, the trials, ``metrics/tuning.json`` and ``plots/tuning``."""
    params = load_params()
    gather(params, load_tuning_params(params))


if __name__ == "__main__":
    run_stage("tune gather", main)
