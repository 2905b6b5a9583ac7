"""`python -m stages.check`: every key and value of `params.yaml`, before any stage reads a part of it.

DVC itself stops at a model or data set without an entry, but cannot say which there are. A file of an older version is
brought up to date here, since DVC reads the keys that later stages depend on by itself.
"""

from pathlib import Path

from bycase.core.command import run_stage
from bycase.core.files import replace_file
from bycase.core.params import load_params
from bycase.networks.check import check_network

CHECKED = Path("data/checked.txt")


def main() -> None:
    """Check the parameters and leave a mark that the next stage depends on."""
    check_network(load_params(rewrite=True))
    with replace_file(CHECKED) as partial:
        # Always the same, so that a valid change runs only the stages that it concerns.
        partial.write_text("params.yaml is valid\n", encoding="utf-8")


if __name__ == "__main__":
    run_stage("check", main)
