"""The pipelines beside the main one, which DVC does not see before their first run.

DVC asks for the outputs of every `dvc.yaml` that it finds, also where nobody has run it: `dvc pull` and `dvc checkout`
fail, `dvc status` is never clean. So `benchmark/` and `tuning/` each come with a `.dvcignore` that hides theirs.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


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


def dvc_command() -> Sequence[str]:
    """What starts DVC."""
    return sys.executable, "-m", "dvc"


def dvc_environment() -> dict[str, str]:
    """The environment in which the pipeline's `python` is this one."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
