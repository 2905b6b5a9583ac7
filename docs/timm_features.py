"""Features of a timm encoder for `model: imported`: ``python docs/timm_features.py IMAGES OUT.h5 [ENCODER]``.

Needs PyTorch and timm, which this project does not require. IMAGES is data/restructured, as `restructure` leaves it
(or data/preprocessed); ENCODER any of `timm.list_models()`, or ``hf-hub:`` and an encoder of Hugging Face. Weights are
downloaded; with RANDOM=1 in the environment they are random, to try it without a network.
"""

import os
import sys
from pathlib import Path

import h5py
import timm
import torch
from PIL import Image


def main(folder: Path, out: Path, encoder: str = "resnet18") -> None:
    """Write datasets `names` (paths below `folder`) and `features` (n_images, n_features)."""
    torch.manual_seed(0)
    model = timm.create_model(encoder, pretrained="RANDOM" not in os.environ, num_classes=0).eval()
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model))
    files = sorted(folder.rglob("*.png"))
    rows = []
    with torch.inference_mode():
        for start in range(0, len(files), 32):
            images = [transform(Image.open(file).convert("RGB")) for file in files[start : start + 32]]
            rows.append(model(torch.stack(images)))
    with h5py.File(out, "w") as file:
        file["names"] = [path.relative_to(folder).as_posix() for path in files]
        file["features"] = torch.cat(rows).numpy()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
