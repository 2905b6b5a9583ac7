from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bycase.core.params_data import PreprocessParams
from bycase.images.contrast import enhance_contrast, reduce_noise
from bycase.images.preprocess import Task, apply_steps, fit_steps, write_image
from bycase.images.stain_normalisation import measure_stain, normalise_stain, usual_stain

RANDOM = np.random.default_rng(0)
HAEMATOXYLIN, EOSIN = np.array([0.65, 0.70, 0.29]), np.array([0.07, 0.99, 0.11])


def tissue(strength: float, cast: float = 1.0, seed: int = 0) -> np.ndarray:
    """A tile by the Beer-Lambert law; `strength` scales both stains, `cast` dims the red."""
    random = np.random.default_rng(seed)
    amounts = random.gamma(2.0, 0.35, (48, 48, 2)) * strength
    density = amounts[..., :1] * HAEMATOXYLIN + amounts[..., 1:] * EOSIN
    return np.clip(240 * np.exp(-density) * np.array([cast, 1, 1]), 0, 255).astype(np.uint8)


def settings(**changes: object) -> PreprocessParams:
    return PreprocessParams(**{"stain": "none", "clip_limit": 0.0, "denoise": 0.0, **changes})


@pytest.mark.parametrize("method", ["macenko", "reinhard"])
def test_normalising_brings_different_stains_together(method: str) -> None:
    pale, dark = tissue(0.6), tissue(1.4, cast=0.8)
    target = usual_stain([stain for seed in range(5) if (stain := measure_stain(tissue(1.0, seed=seed), method))])
    normalised = [normalise_stain(image, method, target) for image in (pale, dark)]
    assert all(image is not None for image in normalised)
    before = np.abs(pale.mean((0, 1)) - dark.mean((0, 1))).max()
    after = np.abs(normalised[0].mean((0, 1)) - normalised[1].mean((0, 1))).max()
    assert after < before / 3


def test_macenko_finds_the_vectors_that_the_tile_was_made_with() -> None:
    measured = measure_stain(tissue(1.0), "macenko")
    assert measured is not None
    vectors = np.array(measured["vectors"])
    for found, true in zip(vectors.T, (HAEMATOXYLIN, EOSIN), strict=True):
        cosine = found @ true / np.linalg.norm(found) / np.linalg.norm(true)
        assert cosine > 0.97


def test_reinhard_measures_what_opencv_measures() -> None:
    import cv2

    image = tissue(1.0)
    lab = cv2.cvtColor((image / np.float32(255)).astype(np.float32), cv2.COLOR_RGB2LAB)
    measured = measure_stain(image, "reinhard")
    assert measured is not None
    np.testing.assert_allclose(np.ravel(measured["means"]), lab.mean((0, 1)), atol=0.5)


def test_a_tile_without_tissue_is_left_as_it_is() -> None:
    blank = np.full((32, 32, 3), 250, np.uint8)
    target = usual_stain([stain for stain in [measure_stain(tissue(1.0), "macenko")] if stain])
    assert normalise_stain(blank, "macenko", target) is None


def test_the_target_is_fitted_on_training_images_only(tmp_path: Path) -> None:
    for name, image in (("a.png", tissue(1.0)), ("b.png", tissue(1.0, seed=1)), ("test.png", tissue(3.0))):
        Image.fromarray(image).save(tmp_path / name)
    fitted = fit_steps(settings(stain="macenko"), ["a.png", "b.png"], tmp_path)
    Image.fromarray(tissue(0.1)).save(tmp_path / "test.png")
    assert fit_steps(settings(stain="macenko"), ["a.png", "b.png"], tmp_path) == fitted
    assert fit_steps(settings(stain="macenko"), ["a.png", "test.png"], tmp_path) != fitted


def test_clahe_raises_local_contrast_and_leaves_grey_grey() -> None:
    flat = np.repeat(RANDOM.integers(110, 140, (64, 64, 1)), 3, axis=2).astype(np.uint8)
    enhanced = enhance_contrast(flat, 4.0)
    assert enhanced.std() > 1.5 * flat.std()
    assert int(np.ptp(enhanced.astype(int), axis=2).max()) <= 2


def test_noise_reduction_nears_the_clean_image() -> None:
    clean = np.full((64, 64, 3), 120, np.uint8)
    clean[:, 32:] = 60
    noisy = np.clip(clean + RANDOM.normal(0, 8, clean.shape), 0, 255).astype(np.uint8)
    reduced = reduce_noise(noisy, 10)
    assert np.abs(reduced.astype(int) - clean).mean() < 0.5 * np.abs(noisy.astype(int) - clean).mean()


def test_nothing_asked_changes_nothing_and_takes_no_space(tmp_path: Path) -> None:
    Image.fromarray(tissue(1.0)).save(tmp_path / "a.png")
    steps = fit_steps(settings(), ["a.png"], tmp_path)
    assert steps.change_nothing
    (tmp_path / "out").mkdir()
    assert write_image(Task(tmp_path, "a.png", tmp_path / "out/a.png", steps)) is False
    assert (tmp_path / "out/a.png").samefile(tmp_path / "a.png")


def test_all_steps_follow_each_other() -> None:
    image = tissue(1.0)
    target = usual_stain([stain for stain in [measure_stain(tissue(0.7, seed=3), "macenko")] if stain])
    from bycase.images.preprocess import Steps

    result, left = apply_steps(image, Steps(settings(stain="macenko", clip_limit=2.0, denoise=3.0), target))
    assert not left
    assert result.shape == image.shape
    assert np.abs(result.astype(int) - image).mean() > 1
