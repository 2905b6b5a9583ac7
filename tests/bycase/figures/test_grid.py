import numpy as np
import pytest

from bycase.figures.grid import choose_examples, draw_grid
from bycase.figures.run_info import RunInfo
from bycase.statistics.units import Units
from tests.fixtures.layout import figure_words
from tests.fixtures.units import class_units

EACH = {2: 12, 3: 6, 8: 3}  # tiles of a class


def test_examples_are_a_stated_mix_of_every_class_from_many_patients(any_images: Units) -> None:
    examples, each = choose_examples(any_images, 7), EACH[len(any_images.classes)]
    for number, positions in enumerate(examples):
        mine = any_images.truth == number
        assert len(set(positions)) == len(positions) == min(each, mine.sum())
        assert (any_images.truth[positions] == number).all()
        right, n_right = any_images.right[positions], any_images.right[mine].sum()
        assert right.sum() == min(n_right, each - min(each // 3, mine.sum() - n_right))
        assert right.tolist() == sorted(right, reverse=True)
        patients = any_images.patient[positions][right]
        assert len(set(patients)) == min(len(patients), len(set(any_images.patient[mine & any_images.right])))
    for seed, same in ((7, True), (8, False)):
        again = choose_examples(any_images, seed)
        assert (np.concatenate(examples).tolist() == np.concatenate(again).tolist()) == same


@pytest.mark.parametrize(("n_right", "n_wrong", "shown"), [(30, 0, (6, 0)), (1, 30, (1, 5)), (2, 1, (2, 1))])
def test_one_kind_fills_up_for_the_other(n_right: int, n_wrong: int, shown: tuple[int, int]) -> None:
    scores = np.repeat([[0.6, 0.3, 0.1], [0.3, 0.6, 0.1]], [n_right, n_wrong], axis=0)
    images = class_units(np.zeros(n_right + n_wrong, np.int64), scores, np.arange(n_right + n_wrong))
    right = images.right[choose_examples(images, 7)[0]]
    assert (right.sum(), (~right).sum()) == shown


def test_wrong_tiles_have_a_red_frame_a_sign_and_a_word(any_images: Units, any_run_info: RunInfo) -> None:
    examples = choose_examples(any_images, 7)
    pixels = np.zeros((sum(map(len, examples)), 8, 8, 3), np.uint8)
    figure = draw_grid(pixels, any_images, examples, any_run_info)
    tiles = [axes for axes in figure.axes if axes.axison]
    for axes, index in zip(tiles, np.concatenate(examples), strict=True):
        right, title = bool(any_images.right[index]), axes.get_title("center")
        assert ("WRONG" in title) == ("\N{BALLOT X}" in title) != right
        assert ("\N{CHECK MARK}" in title) == right
        assert (axes.spines["top"].get_edgecolor()[:3] == pytest.approx((200 / 255, 16 / 255, 46 / 255))) != right
        score = any_images.scores[index]
        assert f"p {score.max() if any_images.positive is None else score[1]:.2f}" in title
        predicted = any_images.classes[any_images.predicted[index]].replace("_", " ")
        assert axes.get_xlabel().split(maxsplit=1) == ["predicted", predicted]
    right = any_images.right[any_images.truth == 1]
    heading = f"true {any_images.classes[1].replace('_', ' ')}: {right.sum()} of {len(right)} right"
    assert heading in figure_words(figure)
