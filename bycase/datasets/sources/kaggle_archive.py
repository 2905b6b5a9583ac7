"""A data set's archive from Kaggle, by the official client.

The client uses the first credentials that it finds, in this order (kaggle 2.2.4, `authenticate`): an
API token, a `kaggle.json` or its two environment variables, and the login of ``kaggle auth login``.
"""

import io
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from bycase.core.errors import UserError
from bycase.datasets.sources.archive import removed_after_use

if TYPE_CHECKING:
    from kaggle.api.kaggle_api_extended import KaggleApi

_WITHOUT_KAGGLE = "or set source: local and path in params.yaml"


@contextmanager
def kaggle_archive(slug: str, folder: Path) -> Iterator[Path]:
    """Give a data set's downloaded archive, and remove it when it is of no more use.

    The archive is removed when the block ends well, and when the block finds it damaged; after any
    other exception it stays, and the next call need not download it again.

    Parameters
    ----------
    slug : str
        ``owner/name``.
    folder : Path
        Where the archive is kept; an interrupted download continues there.

    Raises
    ------
    UserError
        If Kaggle cannot be reached or does not give the archive.
    """
    archive = download(slug, folder)
    with removed_after_use(archive):
        yield archive


def download(slug: str, folder: Path) -> Path:
    """Download a data set's archive, unless it is already there whole.

    Parameters
    ----------
    slug : str
        ``owner/name``.
    folder : Path
        The archive becomes ``<folder>/<owner>/<name>.zip``: the client compares sizes and dates only
        and would take another owner's archive of the same name for this one.

    Returns
    -------
    Path
        The archive; its content is not checked.

    Raises
    ------
    UserError
        If there are no credentials, Kaggle refuses them or the data set, or cannot be reached.
    """
    credentials = find_credentials(os.environ, Path.home())
    if credentials is None:
        raise UserError(
            "no Kaggle credentials found: set KAGGLE_API_TOKEN or save the token as ~/.kaggle/access_token, "
            "or save ~/.kaggle/kaggle.json (or set KAGGLE_USERNAME and KAGGLE_KEY), or run 'kaggle auth login'; "
            + _WITHOUT_KAGGLE
        )
    # Imported only here: it takes time, and importing kaggle signs in.
    import requests

    owner, name = slug.split("/")
    archive = folder / owner / f"{name}.zip"
    archive.parent.mkdir(parents=True, exist_ok=True)
    try:
        # The client prints pages of help where one line of this project's is enough.
        with redirect_stdout(io.StringIO()):
            client = _sign_in(_explain_status(401, slug, credentials))
            client.dataset_download_files(slug, path=os.fspath(archive.parent), quiet=not sys.stderr.isatty())
    except requests.HTTPError as error:
        status = 0 if error.response is None else error.response.status_code
        raise UserError(_explain_status(status, slug, credentials)) from None
    except requests.RequestException as error:
        # The exception's text may hold the token.
        raise UserError(
            f"Kaggle cannot be reached, or the connection broke ({type(error).__name__}): check the network and run "
            f"again, which continues a download that had begun; {_WITHOUT_KAGGLE}"
        ) from None
    except ValueError as error:
        # The client would append to a file of the wrong size at the next run, which makes it no better.
        archive.unlink(missing_ok=True)
        raise UserError(f"download of {slug} failed ({error}): run again; {_WITHOUT_KAGGLE}") from error
    return archive


def _sign_in(refused: str) -> "KaggleApi":
    """Import and authenticate the client; `refused` is the error when its credentials are no good."""
    import requests

    try:
        import kaggle

        kaggle.api.authenticate()
    except requests.RequestException:
        raise
    except (SystemExit, ValueError):
        # A token that is no valid HTTP header raises ValueError, with the token in its text.
        raise UserError(refused) from None
    except OSError as error:
        # The client looks for a file of the token's name first; the token must not be shown as a bad path.
        if str(error.filename) == os.environ.get("KAGGLE_API_TOKEN"):
            raise UserError(refused) from None
        raise
    return kaggle.api


def find_credentials(environment: Mapping[str, str], home: Path) -> str | None:
    """Name the first place, in the client's order, where Kaggle credentials are; None without any."""
    own = home / ".kaggle"
    shared = Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "kaggle"
    legacy = Path(environment.get("KAGGLE_CONFIG_DIR") or (own if own.exists() else shared)) / "kaggle.json"
    tokens = (own / "access_token", own / "access_token.txt")
    places = {
        "KAGGLE_API_V1_TOKEN": bool(environment.get("KAGGLE_API_V1_TOKEN")),  # set in Kaggle's notebooks
        "KAGGLE_API_TOKEN": bool(environment.get("KAGGLE_API_TOKEN")),
        **{str(token): token.is_file() for token in tokens},
        "KAGGLE_USERNAME and KAGGLE_KEY": "KAGGLE_USERNAME" in environment and "KAGGLE_KEY" in environment,
        str(legacy): legacy.is_file(),
        f"{own / 'credentials.json'} (kaggle auth login)": (own / "credentials.json").is_file(),
    }
    return next((place for place, there in places.items() if there), None)


def _explain_status(status: int, slug: str, credentials: str) -> str:
    """Say in one line what an HTTP status of Kaggle's means here, and the way out."""
    match status:
        case 401:
            return (
                f"Kaggle refuses the credentials in {credentials}: make a new token at "
                f"https://www.kaggle.com/settings/api and put it there, or run 'kaggle auth login'; {_WITHOUT_KAGGLE}"
            )
        case 403:
            return (
                f"Kaggle forbids access to {slug} (403; credentials in {credentials}): sign in, open "
                f"https://www.kaggle.com/datasets/{slug}, see that it exists and accept its terms; {_WITHOUT_KAGGLE}"
            )
        case 404:
            return f"Kaggle has no data set {slug} (404): correct its slug in params.yaml, {_WITHOUT_KAGGLE}"
        case _:
            return f"Kaggle answered with HTTP status {status}: try again later, {_WITHOUT_KAGGLE}"
