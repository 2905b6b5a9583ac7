"""`data/tuning/best.yaml`: the settings that tuning recommends, as keys of `params.yaml`, and as a command."""

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from bycase.core.nested import nest
from bycase.figures.style import data_words
from bycase.studies.tune.outcome.searches import Search

CHOSEN = ("model", "dataset")  # what the settings are of, which stands in the file beside them
PLAIN = re.compile(r"[A-Za-z_][\w/]*(?:[.-]\w+)*")  # a text that Hydra takes as it is
NOT_TEXT = ("null", "true", "false", "nan", "inf", "on", "off", "yes", "no")  # likewise, but as something else


def write_best(final: Search, sentences: Sequence[str]) -> str:
    """The content of the file.

    Parameters
    ----------
    final : Search
        On the whole pool; of its winner are the settings.
    sentences : sequence of str
        What came out, in words.
    """
    about, winner = final.about, final.winner
    chosen = {key: about[key] for key in CHOSEN}
    header = [
        "What tuning recommends, as keys of params.yaml.",
        f"{about['model']} on {data_words(about['dataset'], about['phantom'])}; {about['algorithm']}, "
        f"trial {winner['trial']}, epoch {winner['epoch']}",
        *sentences,
        "Into params.yaml: bycase tune apply",
        f"For one experiment: {experiment_command(chosen | dict(winner['settings']))}",
    ]
    if winner["algorithm"] == "pbt":
        header.insert(2, "Found by changing them in the course of training: these are those of its best epoch alone.")
    comment = "".join(f"# {line}\n" for line in header)
    return comment + yaml.safe_dump(chosen | nest(winner["settings"]), sort_keys=False, allow_unicode=True)


def experiment_command(settings: Mapping[str, Any]) -> str:
    """The line for a shell that runs the pipeline once with settings, by their dotted keys."""
    return " ".join(["dvc exp run", *(f"-S {shlex.quote(f'{key}={hydra(value)}')}" for key, value in settings.items())])


def hydra(value: Any) -> str:
    """A value in the grammar of DVC's ``-S``, which is Hydra's: https://hydra.cc/docs/advanced/override_grammar/basic."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{hydra(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(hydra, value)) + "]"
    if isinstance(value, str | Path):
        text = str(value)
        if PLAIN.fullmatch(text) and text.lower() not in NOT_TEXT:
            return text
        # A backslash counts as one unless a quote follows.
        return "'" + re.sub(r"(\\*)('|$)", lambda match: match[1] * 2 + ("\\'" if match[2] else ""), text) + "'"
    return repr(value)
