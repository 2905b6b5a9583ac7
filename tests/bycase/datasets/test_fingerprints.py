from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bycase.core.errors import UserError
from bycase.datasets.fingerprints import read_fingerprints


def test_features_of_another_number_of_images_are_made_anew(tmp_path: Path) -> None:
    columns = {"image": ["a.png", "b.png"], "pixel_sha256": ["0", "1"], "phash": ["2", "3"]}
    pd.DataFrame(columns).to_csv(tmp_path / "index.csv", index=False)
    np.save(tmp_path / "features.npy", np.zeros((3, 4), np.float32))
    with pytest.raises(UserError, match="3 features of 2 images; run 'dvc repro -f audit'"):
        read_fingerprints(tmp_path)
