"""`python -m bycase.studies.tune.stages.check`: every key and value of both params.yaml."""

from bycase.core.command import run_stage
from bycase.core.files import replace_file
from bycase.core.params import load_params
from bycase.studies.tune.params import load_tuning_params
from bycase.studies.tune.place import CHECKED


def main() -> None:
    """Write ``data/tuning/checked.txt``, always the same, so that only the stages that a change concerns run."""
    load_tuning_params(load_params())
    with replace_file(CHECKED) as partial:
        partial.write_text("tuning/params.yaml is valid\n", encoding="utf-8")


if __name__ == "__main__":
    run_stage("tune check", main)
