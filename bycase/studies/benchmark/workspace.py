"""A folder in which the ordinary stages run for one cell, and what they find there.

A stage reads and writes below the current folder. So a cell gets a folder of its own, with links to the data that all
cells share, and runs there just what `dvc.yaml` runs for one model. What an interrupted cell has finished stays.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from bycase.core.errors import UserError
from bycase.core.files import replace_file, replace_folder, write_json
from bycase.core.params import PARAMS_PATH

STATE = "state.json"

# Data of the project that every cell reads.
SHARED = ("data/manifest.csv", "data/duplicates.csv", "data/restructured")


class Workspace:
    """A cell's folder.

    Parameters
    ----------
    folder : Path
        Where it is, relative to the project's top folder, which is the current one.
    words : str
        What runs in it, for messages.
    """

    def __init__(self, folder: Path, words: str) -> None:
        self.folder = folder
        self.words = words

    def open(self, fingerprint: str, links: Mapping[str, Path]) -> None:
        """Make the folder, or keep an interrupted one with the same fingerprint.

        Parameters
        ----------
        fingerprint : str
            Of all that the cell depends on; where it has changed, what is there goes.
        links : mapping
            What the project shares: path in the folder to path in the project.

        Raises
        ------
        UserError
            If something that is shared is not there.
        """
        if self._state().get("fingerprint") != fingerprint:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            write_json(self.folder / STATE, {"fingerprint": fingerprint, "done": []})
        for name, shared in links.items():
            if not shared.exists():
                raise UserError(f"{shared} not found: run 'bycase benchmark run', which makes it first")
            link = self.folder / name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(os.path.relpath(shared, link.parent))

    def write_params(self, settings: dict[str, Any]) -> None:
        """Write the folder's `params.yaml`."""
        with replace_file(self.folder / PARAMS_PATH) as partial:
            partial.write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True), encoding="utf-8")

    def run(self, stage: str, step: str | None = None) -> None:
        """Run a stage in the folder, unless it is done.

        Parameters
        ----------
        stage : str
            Its module, such as ``stages.train``.
        step : str, optional
            A name for this run, where a stage runs several times.

        Raises
        ------
        UserError
            If the stage ends with an error, which it has said itself.
        """
        if self.has_done(step or stage):
            return
        done = subprocess.run([sys.executable, "-m", stage], cwd=self.folder, check=False)
        if done.returncode:
            raise UserError(
                f"{self.words}: {stage.removeprefix('stages.')} failed, for the reason above; what is done stays done: "
                "mend that and run again"
            )
        self.mark_done(step or stage)

    def has_done(self, step: str) -> bool:
        """Whether a step is done."""
        return step in self._state().get("done", [])

    def mark_done(self, step: str) -> None:
        """Remember that a step is done."""
        state = self._state()
        write_json(self.folder / STATE, state | {"done": [*state["done"], step]})

    def remove(self) -> None:
        """Remove the folder; links in it are not followed."""
        shutil.rmtree(self.folder)

    def _state(self) -> dict[str, Any]:
        try:
            state: dict[str, Any] = json.loads((self.folder / STATE).read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        return state


def move_folder(source: Path, target: Path) -> None:
    """Put a finished folder in its place."""
    with replace_folder(target) as folder:
        shutil.copytree(source, folder, dirs_exist_ok=True, copy_function=_hard_link)
    shutil.rmtree(source)


def _hard_link(source: str, target: str) -> str:
    Path(target).hardlink_to(source)
    return target
