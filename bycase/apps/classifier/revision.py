"""The classifier of a path, or of a revision of the project from Git's history and DVC's cache."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bycase.apps.classifier import CLASSIFIER
from bycase.core.errors import UserError


@contextmanager
def find_classifier(model: str) -> Iterator[Path]:
    """Give the path of a classifier file; that of a revision is gone when the block ends.

    Parameters
    ----------
    model : str
        A path; or, where there is no such file and it has no suffix of one, a DVC experiment or anything that Git
        knows as a revision. Nothing is checked out.

    Raises
    ------
    UserError
        If there is neither, the revision has no classifier, or DVC's cache lacks it.
    """
    path = Path(model)
    if path.exists() or path.suffix == CLASSIFIER.suffix:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="classifier-") as folder:
        target = Path(folder) / CLASSIFIER.name
        _copy_of_revision(model, target)
        yield target


def _copy_of_revision(name: str, target: Path) -> None:
    from dvc.api import DVCFileSystem
    from dvc.exceptions import DvcException, NotDvcRepoError
    from dvc.repo import Repo
    from dvc.scm import RevError

    place = f"/{CLASSIFIER.as_posix()}"
    try:
        Repo.find_root()
        files = DVCFileSystem(rev=name)
        files.repo  # noqa: B018 - opens it
    except NotDvcRepoError:
        raise UserError(f"--model {name}: no such file, and this is no DVC project") from None
    except RevError:
        raise UserError(
            f"--model {name}: neither a file, nor a DVC experiment ('dvc exp list --all'), nor a Git revision "
            "('git log --oneline')"
        ) from None
    try:
        files.get_file(place, target)
    except FileNotFoundError:
        known = files.exists(place)
        way_out = "it is not in DVC's cache: 'dvc pull', or run it again" if known else "it has none: run 'dvc repro'"
        raise UserError(f"--model {name}: no {CLASSIFIER}; {way_out}") from None
    except DvcException as error:
        raise UserError(f"--model {name}: {CLASSIFIER} cannot be read: {error}") from None
