"""`bycase judge FILE [FILE ...]`: what any program predicted gets what this project's own networks get."""

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from bycase.apps.judge.options import Options
from bycase.core.errors import UserError
from bycase.core.expressions import composed
from bycase.studies.benchmark.params import CompareParams

METRICS = get_args(CompareParams.model_fields["metric"].annotation)
LEVELS = get_args(CompareParams.model_fields["level"].annotation)
OF_RANKS = ("auc", "average_precision")
ROLE_WORDS = {
    "image": "image or id",
    "label": "true class",
    "patient": "whose the image is; 'none': unknown",
    "part": "train, val or test: test is judged, val gives thresholds; 'none': all is judged",
    "fold": "of cross-validation; 'none': one network predicted all",
    "predicted": "the program's own class; 'none': not used",
}
FEWEST, MOST = 100, 1_000_000  # resamples


def main(arguments: list[str] | None = None) -> None:
    """Judge the files that the command line names: print the results and, with ``--out``, write them."""
    words = sys.argv[1:] if arguments is None else arguments
    parser = make_parser()
    options = parser.parse_args(words)
    if options.threshold is not None and not 0 <= options.threshold <= 1:
        parser.error("--threshold: must be from 0 to 1")
    if options.prevalence is not None and not 0 < options.prevalence < 1:
        parser.error("--prevalence: must be between 0 and 1")
    if options.top_k <= 0 or (options.top_k > 1 and options.top_k % 1):
        parser.error("--top-k: must be a whole number of images, or a share between 0 and 1")
    if not FEWEST <= options.resamples <= MOST:
        parser.error(f"--resamples: must be from {FEWEST} to {MOST:,}")
    from bycase.apps.judge.assess import JudgeSettings, assess_table, check_aggregation, info_of, tidy
    from bycase.apps.judge.several import compare_tables, name_apart, put_side_by_side
    from bycase.apps.judge.summary import summarise
    from bycase.apps.judge.table import read_predictions
    from bycase.apps.judge.write import check_folder, write_all

    if options.out is not None:
        check_folder(options.out)
    names = name_apart(options.files)
    settings = JudgeSettings(
        options.threshold, options.resamples, options.seed, options.prevalence, options.aggregation, options.top_k
    )
    columns = Options(**{each.name: _as_read(getattr(options, each.name)) for each in fields(Options)})
    tables = []
    for path, name in zip(options.files, names, strict=True):
        table = replace(read_predictions(path, columns, options.threshold), name=name)
        if options.threshold is not None and not (table.positive and table.probabilities):
            raise UserError(f"{path}: --threshold is for a probability of one of two classes; leave it out")
        check_aggregation(table, options.aggregation)
        tables.append(table)
        _say(table.file, [*table.said, *(f"WARNING: {warning}" for warning in table.warnings)])
    said: list[str] = []
    if len(tables) > 1:
        tables, said = put_side_by_side(tables, options.shared)
        _say("together", said)
    comparing = _comparing(parser, options, tables)
    metrics = {table.name: assess_table(table, settings) for table in tables}
    infos = [info_of(table, tidy(metrics[table.name], table), settings.seed) for table in tables]
    comparison = compare_tables(tables, metrics, settings, comparing) if len(tables) > 1 else None
    sys.stdout.write("\n\n".join(summarise(info).rstrip() for info in infos) + "\n")
    if comparison is not None:
        sys.stdout.write(f"\n{comparison.markdown}")
    if options.out is not None:
        write_all(options.out, infos, comparison, said, settings, command_line(words, options))
        logging.info("report in %s", options.out / "report.html")


def _as_read(said: Any) -> Any:
    """What the user says of a table, with accents as `bycase.apps.judge.files.read_file` gives them."""
    if isinstance(said, list):
        return tuple(map(composed, said))
    return composed(said) if isinstance(said, str) else said


def command_line(words: Sequence[str], options: argparse.Namespace) -> str:
    """The command as reports show it: files and folders without where they are."""
    places = {str(path) for path in options.files} | {str(options.out)}
    shown = [Path(word).name if word in places or "/" in word else word for word in words]
    return " ".join(["bycase judge", *(f"'{word}'" if set(word) & set(" *?;&|$") else word for word in shown)])


def make_parser() -> argparse.ArgumentParser:
    """Build the command line."""
    parser = argparse.ArgumentParser(prog="bycase judge", description=__doc__)
    add: Any = parser.add_argument
    add("files", nargs="+", type=Path, metavar="FILE", help="CSV, Excel, Parquet or JSON lines, a row an image")
    add("--out", type=Path, metavar="FOLDER", help="write metrics, figures and report.html there")
    add = parser.add_argument_group("columns, found by name and said where not given").add_argument
    for role, words in ROLE_WORDS.items():
        add(f"--{role}", metavar="COLUMN", help=words)
    scores = "probabilities or logits: columns, 'prob_*' or CLASS=COLUMN; 'none': not used"
    add("--score", nargs="+", default=[], metavar="COLUMN", help=scores)
    add("--logits", action="store_true", help="the scores are logits, also where their names do not say so")
    add("--classes", nargs="+", default=[], metavar="NAME", help="the classes in the order of their numbers")
    add("--positive", metavar="CLASS", help="of two classes, the one that is looked for")
    add("--subgroup", action="append", default=[], metavar="COLUMN", help="a further property to report by; repeatable")
    add("--test", metavar="VALUE", help="what the part that is judged is called")
    add("--validation", metavar="VALUE", help="what the validation part is called")
    add = parser.add_argument_group("judging").add_argument
    add("--threshold", type=float, help="of the positive class, fixed in advance (by default from validation, or 0.5)")
    prevalence = "share of the positive class where it is to be used, for predictive values and net benefit"
    add("--prevalence", type=float, help=prevalence)
    rules = "of a patient's images: mean (default), median, top_k, or attention, which is fitted on the part val"
    add("--aggregation", choices=("mean", "median", "top_k", "attention"), default="mean", help=rules)
    add("--top-k", type=float, default=0.25, help="of top_k: so many images, or such a share below 1 (default 0.25)")
    add("--resamples", type=int, default=10_000, help="bootstrap resamples (default 10000)")
    add("--seed", type=int, default=7, help="of the bootstrap (default 7)")
    add = parser.add_argument_group("several files").add_argument
    add("--shared", action="store_true", help="where their images differ, judge all on those that they share")
    add("--metric", choices=METRICS, help="what is compared (default auc; of classes only, accuracy)")
    add("--level", choices=LEVELS, default="image")
    add("--margin", type=float, default=0.03, help="the difference that matters (default 0.03)")
    add("--alpha", type=float, default=0.05, help="family-wise error rate over all pairs (default 0.05)")
    return parser


def _say(name: str, lines: Sequence[str]) -> None:
    for line in lines:
        logging.info("%s: %s", name, line)


def _comparing(parser: argparse.ArgumentParser, options: argparse.Namespace, tables: Sequence[Any]) -> CompareParams:
    """The settings of a comparison; UserError where the files cannot give what is asked for."""
    scored = all(table.probabilities for table in tables)
    metric: Any = options.metric or ("auc" if scored else "accuracy")
    if metric in OF_RANKS and not scored:
        raise UserError(f"--metric {metric} needs probabilities, which not every file has; choose accuracy")
    if options.level == "patient" and not tables[0].patients_known:
        raise UserError("--level patient: patients are unknown; name their column with --patient")
    try:
        return CompareParams(
            metric=metric,
            level=options.level,
            margin=options.margin,
            alpha=options.alpha,
            resamples=options.resamples,
        )
    except ValidationError as error:
        first = error.errors()[0]
        parser.error(f"--{first['loc'][0]}: {first['msg']}")
