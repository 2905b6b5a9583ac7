"""`bycase check-split --published`: what published splits of BreakHis test, and what of it shares a case with training.

From names alone; with ``--run FOLDER``, where the pipeline has run on images of BreakHis, also what it is worth there.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from bycase.core.errors import UserError
from bycase.core.files import write_json
from bycase.core.params import load_params
from bycase.core.seeding import generator
from bycase.datasets.fingerprints import FINGERPRINTS
from bycase.datasets.published.breakhis import WORKS, Published, name_images, read_split
from bycase.datasets.splits.leaks import find_leak
from bycase.datasets.splits.places import match_names
from bycase.statistics.comparison.differences import confidence_interval, influence_difference
from bycase.statistics.influence import measure_influence
from bycase.statistics.leakage.meter import make_head, read_features
from bycase.statistics.units import Floats, Units, number_classes, positive_number
from bycase.tables.manifest import MANIFEST, read_manifest

CLASSES = ("Benign", "Malignant")
DRAWS = 1000  # of random splits by slide folder
DRAWN_SHARE = 0.3  # of slide folders that are tested, as in the official folds
SEED = 7


def audit_work(work: Published) -> dict[str, Any]:
    """Count the images that a published split tests, and those that share a case or a slide folder with training.

    Returns
    -------
    dict
        ``images``; ``held_out`` ('test', or 'val' where the split has no test part) and for ``case`` and ``folder`` the
        summary of `bycase.datasets.splits.leaks.Leak`. Training is every part that is not held out; ``train_alone`` is
        the summary by case where a validation part is left out of it.
    """
    frame = assign_parts(work, name_images())
    held_out = "test" if (frame["part"] == "test").any() else "val"
    alone = frame[frame["part"].isin(["train", held_out])]
    return {
        "work": work.work,
        "source": work.source,
        "claims": work.claims,
        "images": len(frame),
        "held_out": held_out,
        "case": find_leak(frame, "case").summary(),
        "folder": find_leak(frame, "folder").summary(),
        "train_alone": find_leak(alone, "case").summary(),
    }


def assign_parts(work: Published, manifest: pd.DataFrame, everywhere: bool = False) -> pd.DataFrame:
    """The manifest's images of a work's slide folders, with ``part``; at all magnifications where `everywhere`."""
    wanted = manifest if everywhere else manifest[manifest["magnification"].isin(work.magnifications)]
    subsets = match_names(read_split(work), wanted).subsets
    chosen = wanted[wanted["image"].isin(subsets.index)]
    return chosen.assign(part=chosen["image"].map(subsets))


def bound_by_folder(manifest: pd.DataFrame) -> dict[str, dict[str, int]]:
    """By class, all images, and those whose slide folder shares its case with another one.

    More than the latter no split that keeps slide folders whole can leak over all its folds.
    """
    shared = manifest.groupby("case")["folder"].transform("nunique") > 1
    return {
        str(label): {"images": len(rows), "seen": int(shared[rows.index].sum())}
        for label, rows in manifest.groupby("label")
    }


def draw_by_folder(manifest: pd.DataFrame, share: float, draws: int, seed: int) -> Floats:
    """Shares of test images with their case in training, (draws,), of random splits by slide folder.

    Parameters
    ----------
    manifest : DataFrame with the columns ``folder``, ``case``
        One row an image.
    share : float
        Of the slide folders that are tested, 0 to 1.
    draws, seed : int
        How many splits, and what draws them.
    """
    sizes = manifest.groupby(["folder", "case"]).size().reset_index(name="images")
    case = pd.factorize(sizes["case"])[0]
    images = sizes["images"].to_numpy()
    random = generator(seed, "published splits")
    shares = np.empty(draws)
    for number in range(draws):
        tested = np.zeros(len(sizes), dtype=bool)
        tested[random.choice(len(sizes), round(share * len(sizes)), replace=False)] = True
        seen = tested & np.isin(case, case[~tested])
        shares[number] = images[seen].sum() / images[tested].sum()
    return shares


def measure_worth(features: Floats, frame: pd.DataFrame, logistic_C: float) -> dict[str, Any]:
    """What cases on both sides are worth: the same test images, with and without their cases in training.

    Parameters
    ----------
    features : ndarray of shape (n_images, n_features), float64
        In the order of `frame`.
    frame : DataFrame with the columns ``image``, ``label``, ``case``, ``part``
        One row an image.
    logistic_C : float
        Of the meter's head; scikit-learn's ``C``.

    Returns
    -------
    dict
        Numbers of images and cases; ``auc`` of the held-out images in [0, 1] as split and with the shared cases taken
        out of training; ``points``, the difference in points, with its 95 % interval by case. ``auc`` is
        None where a class is missing on a side.
    """
    held_out = (frame["part"] == ("test" if (frame["part"] == "test").any() else "val")).to_numpy()
    shared = frame["case"].isin(set(frame.loc[held_out, "case"])).to_numpy()
    sides = {"as_split": ~held_out, "without_shared": ~held_out & ~shared}
    seen = held_out & frame["case"].isin(set(frame.loc[~held_out, "case"])).to_numpy()
    content: dict[str, Any] = {
        "train_images": int((~held_out).sum()),
        "held_out_images": int(held_out.sum()),
        "held_out_cases": int(frame.loc[held_out, "case"].nunique()),
        "seen_images": int(seen.sum()),
        "auc": None,
    }
    if min(frame.loc[rows, "label"].nunique() for rows in (held_out, *sides.values())) < len(CLASSES):
        return content
    truth = number_classes(frame["label"], CLASSES)
    case = pd.factorize(frame.loc[held_out, "case"])[0].astype(np.int64)
    units = {}
    with threadpool_limits(1):
        for side, train in sides.items():
            scores = make_head(logistic_C).fit(features[train], truth[train]).predict_proba(features[held_out])
            positive = positive_number(CLASSES, CLASSES[-1])
            units[side] = Units(CLASSES, truth[held_out], scores, scores.argmax(axis=1), case, positive=positive)
    auc = {side: measure_influence("auc", each) for side, each in units.items()}
    difference = influence_difference(auc["as_split"].minus(auc["without_shared"]))
    content["auc"] = {side: influence.estimate for side, influence in auc.items()}
    content["points"] = {
        "difference": 100 * difference.estimate,
        **{end: 100 * value for end, value in confidence_interval(difference).items()},
    }
    return content


def audit_all() -> dict[str, Any]:
    """Everything that names tell: the works' splits, and what any split by slide folder can leak."""
    everything = name_images()
    shares = draw_by_folder(everything, DRAWN_SHARE, DRAWS, SEED)
    return {
        "works": [audit_work(work) for work in WORKS],
        "by_folder": {
            "bound": bound_by_folder(everything),
            "draws": DRAWS,
            "tested_folders": DRAWN_SHARE,
            "mean": float(shares.mean()),
            "low": float(np.quantile(shares, 0.025)),
            "high": float(np.quantile(shares, 0.975)),
        },
    }


def write_table(content: dict[str, Any]) -> list[str]:
    """The audit as a Markdown table, with what is known of splits whose lists are not here."""
    lines = [
        "| split | says it splits by | splits by | tested | a case of theirs in training | benign | malignant |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in content["works"]:
        leak = row["case"]
        classes = [f"{leak['by_class'][label]['seen']} of {leak['by_class'][label]['images']}" for label in CLASSES]
        lines.append(
            f"| {row['work']} ({row['source']}) | {row['claims']} | slide folder | {leak['held_out_images']:,} of "
            f"{row['images']:,} images ({row['held_out']}) | {leak['seen_images']} ({leak['seen_share']:.1%}) | "
            f"{' | '.join(classes)} |"
        )
    known = content["by_folder"]
    bounds = [f"at most {known['bound'][label]['seen']:,} of {known['bound'][label]['images']:,}" for label in CLASSES]
    lines += [
        f"| the five official folds (Folds.csv, dsfoldN.txt) | patients | slide folder | lists not here | "
        f"{known['mean']:.1%} ({known['low']:.1%} to {known['high']:.1%}) in {known['draws']:,} random splits by slide "
        f"folder with {known['tested_folders']:.0%} tested | {' | '.join(bounds)} |",
        "| forderation/breakhis-400x (Kaggle) | not known here | image, where benign | list not here | all benign "
        "ones | all: train holds all 24 benign slide folders | not known |",
    ]
    return lines


def write_worth(rows: dict[str, dict[str, Any]]) -> list[str]:
    """What cases on both sides are worth on a run's images, as a Markdown table."""
    lines = [
        "| split | images: train, held out (cases) | held out, with their case in training | AUC as split | AUC "
        "without those cases in training | points (95 % CI) |",
        "|---|---|---|---|---|---|",
    ]
    for work, row in rows.items():
        cells = [f"{row['train_images']}, {row['held_out_images']} ({row['held_out_cases']})", str(row["seen_images"])]
        if row["auc"] is None:
            cells += ["a class is missing", "", ""]
        else:
            points = row["points"]
            cells += [f"{row['auc'][side]:.3f}" for side in ("as_split", "without_shared")]
            cells.append(f"{points['difference']:+.1f} ({points['low']:+.1f} to {points['high']:+.1f})")
        lines.append(f"| {work} | {' | '.join(cells)} |")
    return lines


def worth_of_all(run: Path) -> dict[str, dict[str, Any]]:
    """`measure_worth` of every work on the images of a run, at all magnifications, which are its slide folders' too."""
    params = load_params(run / "params.yaml")
    manifest = read_manifest(run / MANIFEST)
    rows = {}
    for work in WORKS:
        frame = assign_parts(work, manifest, everywhere=True)
        if frame.empty:
            raise UserError(f"{run / MANIFEST} has no image of {work.work}'s slide folders: is it BreakHis?")
        features = read_features(frame["image"], run / FINGERPRINTS)
        rows[work.work] = measure_worth(features, frame, params.leakage.logistic_C)
    return rows


def main(arguments: list[str] | None = None) -> None:
    """Print the tables, and write all counts where asked to."""
    parser = argparse.ArgumentParser(prog="bycase check-split --published", description="Published BreakHis splits.")
    parser.add_argument("--run", type=Path, help="folder where the stages up to `audit` have run on images of BreakHis")
    parser.add_argument("--json", type=Path, help="write all counts to this file")
    options = parser.parse_args(arguments)
    content = audit_all()
    lines = write_table(content)
    if options.run:
        content["worth"] = worth_of_all(options.run)
        lines += ["", *write_worth(content["worth"])]
    if options.json:
        write_json(options.json, content)
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
