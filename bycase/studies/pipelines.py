"""The pipelines beside the main one, which DVC does not see before their first run.

DVC asks for the outputs of every `dvc.yaml` that it finds, also where nobody has run it: `dvc pull` and `dvc checkout`
fail, `dvc status` is never clean. So `benchmark/` and `tuning/` each come with a `.dvcignore` that hides theirs.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bycase.core.errors import UserError


def show_pipeline(pipeline: str) -> None:
    """Let DVC see a pipeline from now on.

    Parameters
    ----------
    pipeline : str
        Its file, such as ``benchmark/dvc.yaml``.
    """
    Path(pipeline).with_name(".dvcignore").unlink(missing_ok=True)


def run_dvc(*arguments: str) -> bool:
    """Run DVC in the current folder, its output shown; whether it ended well."""
    sys.stdout.flush()
    return subprocess.run([*dvc_command(), *arguments], env=dvc_environment(), check=False).returncode == 0


def refuse_stale(pipeline: str, command: str) -> None:
    """Refuse results that parameters, data and code as they are now would not give.

    Parameters
    ----------
    pipeline : str
        Its file; the stages of others that it rests on count as well.
    command : str
        What brings them up to date, named in the error.

    Raises
    ------
    UserError
        Naming a stage, and what of it has changed.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            changed = repo.status(targets=[pipeline], with_deps=True)
    except DvcException as error:
        raise UserError(f"{pipeline}: whether its results are up to date cannot be said: {error}") from None
    if changed:
        stage, reasons = next(iter(changed.items()))
        raise UserError(
            f"{pipeline}: stage {stage.rpartition(':')[2]} has not been run as things are now ({_words(reasons)}), so "
            f"these results are of something else; run '{command}' first, or set it back"
        )


def _words(reasons: Sequence[str | Mapping[str, Mapping[str, Any]]]) -> str:
    """The first reason that DVC gives, such as ``params.yaml: train.loss`` or ``models/model.keras: deleted``."""
    reason = reasons[0]
    if isinstance(reason, str):
        return reason
    path, how = next(iter(next(iter(reason.values())).items()))
    return f"{path}: {next(iter(how)) if isinstance(how, dict) else how}"


def dvc_command() -> Sequence[str]:
    """What starts DVC."""
    return sys.executable, "-m", "dvc"


def dvc_environment() -> dict[str, str]:
    """The environment in which the pipeline's `python` is this one."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
