"""`python -m speed.train_memory`: peak memory of embedding and of training, with ten times the images.

Phantom images in a temporary folder; head on cached features, then fine-tuning, as `dvc repro` runs them.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
IMAGES = 200
COPIES = 10
PREPARING = ("download", "restructure", "audit", "split", "preprocess")


def main() -> None:
    """Print the peak memory of both stages for both numbers of images."""
    for images in (IMAGES, IMAGES * COPIES):
        with tempfile.TemporaryDirectory() as work:
            write_params(Path(work), images)
            for stage in PREPARING:
                run(stage, Path(work))
            embed, train = (run(stage, Path(work)) for stage in ("embed", "train"))
        sys.stdout.write(f"{images:6d} images: embed {embed:.0f} MB, train {train:.0f} MB\n")


def write_params(folder: Path, images: int) -> None:
    """The project's parameters, with so many phantom images and an epoch of fine-tuning."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params |= {"model": "efficientnetlite", "dataset": "phantom"}
    params["datasets"]["phantom"]["phantom"] |= {"images": images, "width": 175, "height": 115}
    params["train"]["collapse_action"] = "warn"
    entry = params["zoo"]["efficientnetlite"]
    entry["epochs"] = 2
    entry["unfreeze"] |= {"layers": 20, "epochs": 1}
    (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")


def run(stage: str, folder: Path) -> float:
    """Run a stage; the largest resident set of its process, in megabytes."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-m", f"stages.{stage}"], cwd=folder, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{stage} failed")
    return usage.ru_maxrss / 1024


if __name__ == "__main__":
    main()
