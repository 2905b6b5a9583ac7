"""Git and DVC as a recipe uses them: the committed `params.yaml`, and whose the one in the workspace is."""

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

from bycase.core.errors import UserError
from bycase.core.files import replace_file, write_json
from bycase.core.params import PARAMS_PATH
from bycase.studies.tune.params import TUNING_PARAMS

# What is remembered of each file that a recipe writes.
STATES = {PARAMS_PATH: Path(".dvc/tmp/recipe.json"), TUNING_PARAMS: Path(".dvc/tmp/recipe_search.json")}

WAY_BACK = "git restore params.yaml dvc.lock metrics plots && dvc checkout dvc.yaml"
WAY_BACK_OF_SEARCH = WAY_BACK.replace("params.yaml", "params.yaml tuning", 1)


def committed_params(path: Path = PARAMS_PATH) -> str:
    """The text of `params.yaml`, or of the file at another `path`, in Git's HEAD.

    Raises
    ------
    UserError
        If this is no Git repository, or nothing is committed.
    """
    return _git("show", f"HEAD:./{path.as_posix()}")


def head_commit() -> str:
    """The commit that HEAD is at."""
    return _git("rev-parse", "HEAD").strip()


def uncommitted_code(*pipelines: str) -> bool:
    """Whether library, stages, recipes, `dvc.yaml` or another one of `pipelines` differ from that commit."""
    return bool(_git("status", "--porcelain", "--", "bycase", "stages", "recipes", "dvc.yaml", *pipelines).strip())


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(
            f"a recipe starts from what is committed: {done.stderr.strip()}; run it in a clone of the project"
        )
    return done.stdout


def need_identity() -> None:
    """See that Git knows whose name an experiment bears, before hours of work end at `dvc exp save`.

    Raises
    ------
    UserError
        If neither its configuration nor its environment names one.
    """
    for role in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
        # As DVC does, take no name made of account and host.
        asked = ("git", "-c", "user.useConfigOnly=true", "var", role)
        if subprocess.run(asked, capture_output=True, check=False).returncode:
            raise UserError(
                "Git does not know who you are, and the run becomes an experiment of yours: run 'git config --global "
                "user.name NAME' and 'git config --global user.email ADDRESS'"
            )


def unstage_after_a_killed_save() -> None:
    """Take out of Git's index what an interrupted `dvc exp save` has left there.

    It stages a temporary file of its own, by which it is known, and outputs that DVC keeps, at which the
    next `dvc repro` would stop as "already tracked by SCM".
    """
    if ".dvc/tmp/repro.dat" in _staged():
        _git("reset", "--quiet")


def _staged() -> set[str]:
    return set(filter(None, _git("diff", "--cached", "--name-only", "--relative", "-z").split("\0")))


def refuse_own_changes(base: str, path: Path = PARAMS_PATH) -> None:
    """Refuse to write over changes of `params.yaml` that no earlier recipe has made.

    Parameters
    ----------
    base : str
        The committed text.
    path : Path
        The file, one of `STATES`.

    Raises
    ------
    UserError
        If the workspace's text is neither that nor what the last recipe left.
    """
    present = path.read_text(encoding="utf-8") if path.exists() else base
    if present != base and digest(present) not in read_state(path).get("written", []):
        name = path.as_posix()
        raise UserError(
            f"{name} has changes that are not committed, and a recipe would write over them: commit them, or drop "
            f"them by 'git restore {name}', and run again"
        )


def write_params(text: str, path: Path = PARAMS_PATH, **state: str) -> None:
    """Write `params.yaml`, and remember that a recipe did.

    Parameters
    ----------
    text : str
        The new content.
    path : Path
        The file, one of `STATES`.
    **state : str
        What else to remember; see `read_state`.
    """
    # Remembered first, with the text that goes: whenever this is killed, the one that is there is remembered.
    there = path.read_text(encoding="utf-8") if path.exists() else ""
    write_json(STATES[path], {**state, "written": [digest(there), digest(text)]})
    with replace_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def read_state(path: Path = PARAMS_PATH) -> dict[str, Any]:
    """What the last recipe remembered of a file: ``written``, digests of the text it found and left, and its own."""
    try:
        state: dict[str, Any] = json.loads(STATES[path].read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return state


def digest(text: str) -> str:
    """The SHA-256 of a text, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
