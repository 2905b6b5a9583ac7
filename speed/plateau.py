"""`python -m speed.plateau FOLDER`: system A's plateau, and what becomes of it with pixels rescaled once.

Recipe a-efficientnetv2 on real BreakHis images below FOLDER, with efficientnetlite in EfficientNetV2's place, the one
backbone whose ImageNet weights need no download. Benign images are left out at random until 68.6 % are malignant, as in
the full set, whose constant prediction has a loss of 0.622.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from bycase.core.nested import merge
from bycase.core.params import Params, read_yaml
from bycase.studies.recipe.definition import AS_PUBLISHED, read_recipe
from bycase.studies.recipe.settings import recipe_settings

ROOT = Path(__file__).parents[1]
MALIGNANT_SHARE = 5429 / 7909
PREPARING = ("restructure", "audit", "split", "preprocess")
RUNS = {
    "rescaled twice, split by image": (1 / 255, "image"),
    "rescaled once, split by image": (1.0, "image"),
    "rescaled once, split by case": (1.0, "case"),
}

HEAD = "| run | training loss, first to last epoch | of a constant | test AUC | test accuracy | of a constant |"


def main() -> None:
    """Run the three and print their losses and scores as a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="images in BreakHis' layout")
    folder = parser.parse_args().folder
    with tempfile.TemporaryDirectory() as work:
        raw = Path(work) / "data/raw/breakhis"
        n = link_images(folder, raw)
        sys.stdout.write(f"{n} images, {MALIGNANT_SHARE:.1%} malignant\n")
        sys.stdout.write(f"{HEAD}\n|{'---|' * HEAD.count(' |')}\n")
        for name, (rescale, group) in RUNS.items():
            sys.stdout.write(describe(name, run(Path(work), rescale, group)) + "\n")


def link_images(folder: Path, raw: Path) -> int:
    """Link all malignant images and as many benign ones as give the full set's share; how many there are."""
    paths = {label: sorted(folder.rglob(f"{label}/**/*.png")) for label in ("benign", "malignant")}
    benign = round(len(paths["malignant"]) * (1 - MALIGNANT_SHARE) / MALIGNANT_SHARE)
    chosen = np.random.default_rng(7).choice(len(paths["benign"]), benign, replace=False)
    kept = [*paths["malignant"], *(paths["benign"][place] for place in np.sort(chosen))]
    for path in kept:
        target = raw / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(path.resolve())
    return len(kept)


def run(work: Path, rescale: float, group: str) -> dict[str, Any]:
    """Train and evaluate one of the three in `work`; its history, card and metrics."""
    recipe = recipe_settings(read_recipe("a-efficientnetv2", ROOT / "recipes"), AS_PUBLISHED)
    entry = recipe["zoo"]["efficientnetv2"] | {"variant": None, "weights": "imagenet", "rescale": rescale}
    settings = merge(
        recipe,
        {
            "model": "efficientnetlite",
            "datasets": {"breakhis": {"source": "local", "path": "data/raw/breakhis"}},
            "split": {"group": group, "merge_duplicates": True, "validation": 0.15, "test": 0.25},
            "zoo": {"efficientnetlite": entry},
        },
    )
    base = read_yaml(ROOT / "params.yaml", Params)
    (work / "params.yaml").write_text(yaml.safe_dump(merge(base, settings)), encoding="utf-8")
    for stage in (*PREPARING, "embed", "train", "evaluate"):
        command = [sys.executable, "-m", f"stages.{stage}"]
        subprocess.run(command, cwd=work, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)
    return {
        "history": pd.read_csv(work / "models/history.csv"),
        "card": json.loads((work / "models/model.json").read_text(encoding="utf-8")),
        "metrics": json.loads((work / "metrics/metrics.json").read_text(encoding="utf-8")),
    }


def describe(name: str, found: dict[str, Any]) -> str:
    """One row of the table."""
    losses, image = found["history"]["loss"], found["metrics"]["image"]
    cells = [name, f"{losses.iloc[0]:.3f} to {losses.iloc[-1]:.3f}", f"{found['card']['prior_loss']:.3f}"]
    for metric in ("auc", "accuracy"):
        limits = image["ci"][metric]
        cells.append(f"{image[metric]:.3f} ({limits['low']:.3f} to {limits['high']:.3f})")
    return f"| {' | '.join([*cells, format(image['baseline']['accuracy'], '.3f')])} |"


if __name__ == "__main__":
    main()
