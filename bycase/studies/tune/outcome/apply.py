"""`bycase tune apply`: what tuning recommends, written into `params.yaml`."""

import sys
from pathlib import Path
from typing import Any

import yaml

from bycase.core.errors import UserError
from bycase.core.files import replace_file
from bycase.core.nested import flatten, merge
from bycase.core.params import PARAMS_PATH, Params, check_params, parse_yaml, upgrade_text
from bycase.core.yaml_edit import edit_yaml
from bycase.studies.tune.outcome.best import CHOSEN, experiment_command, hydra
from bycase.studies.tune.place import BEST


def apply(params: Params, source: Path = BEST) -> None:
    """Write the settings of a file into `params.yaml` and say on standard output what changed.

    Parameters
    ----------
    params : Params
        As `params.yaml` is now.
    source : Path
        Usually `BEST`.

    Raises
    ------
    UserError
        If the file is missing, of another network or data set, or has a key or value that is not valid.
    """
    settings = read_settings(source, params)
    text = upgrade_text(PARAMS_PATH.read_bytes().decode("utf-8"), str(PARAMS_PATH))  # line ends stay as they are
    content = parse_yaml(text, str(PARAMS_PATH))
    check_params(merge(content, settings), str(source))
    before, wanted = flatten(content), flatten(settings)
    changes = {key: value for key, value in wanted.items() if before[key] != value}
    if changes:
        edited = edit_yaml(text, merge(content, settings))
        with replace_file(PARAMS_PATH) as partial:
            partial.write_bytes(edited.encode("utf-8"))
    chosen = {"model": params.model, "dataset": params.dataset}
    lines = [f"{key}: {hydra(before[key])} -> {hydra(value)}" for key, value in changes.items()]
    lines = lines or [f"{PARAMS_PATH} has these settings already"]
    sys.stdout.write("\n".join([*lines, f"as one experiment: {experiment_command(chosen | wanted)}"]) + "\n")


def read_settings(source: Path, params: Params) -> dict[str, Any]:
    """The nested settings of a file like `BEST`.

    Raises
    ------
    UserError
        If it is missing, not YAML, or of another network or data set than `params`.
    """
    try:
        content = yaml.safe_load(source.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{source} not found: run 'bycase tune run' first") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{source} is not valid YAML: {error}") from None
    if not isinstance(content, dict) or not all(key in content for key in CHOSEN):
        raise UserError(f"{source} does not say of which {' and '.join(CHOSEN)} it is, as {BEST} does")
    for key in CHOSEN:
        here = getattr(params, key)
        if content[key] != here:
            raise UserError(
                f"{source} is of {key} {content[key]}, {PARAMS_PATH} of {here}: set {key} to {content[key]} there, or "
                f"tune {here} by 'bycase tune run'"
            )
    return {key: value for key, value in content.items() if key not in CHOSEN}
