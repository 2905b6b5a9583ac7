from io import BytesIO

import numpy as np
from matplotlib.figure import Figure
from matplotlib.text import Text

from bycase.figures.curve_tables import precision_recall_table, roc_table
from bycase.figures.multiclass.classification_report import write_class_report
from bycase.figures.multiclass.confusion import class_confusion, draw_class_confusion
from bycase.figures.multiclass.curve_tables import mean_precision_recall_table, mean_roc_table
from bycase.figures.multiclass.curves import draw_class_precision_recall, draw_class_roc
from bycase.figures.multiclass.grid import choose_class_examples, draw_class_grid
from bycase.figures.run_info import RunInfo
from bycase.report.summary import summarise
from bycase.statistics.multiclass.units import ClassUnits, patient_class_units


def inside(figure: Figure) -> bool:
    """Whether nothing leaves the figure."""
    figure.savefig(BytesIO())
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    return bool(min(box.x0, box.y0) >= 0 and box.x1 <= width and box.y1 <= height)


def test_curves_name_every_class_and_stay_inside(class_images: ClassUnits, class_run_info: RunInfo) -> None:
    rest = {label: class_images.against_rest(number) for number, label in enumerate(class_images.classes)}
    roc = {label: roc_table(of) for label, of in rest.items()}
    precision_recall = {label: precision_recall_table(of) for label, of in rest.items()}
    figures = {
        "auc": draw_class_roc(roc, mean_roc_table(roc), class_run_info),
        "average_precision": draw_class_precision_recall(
            precision_recall, mean_precision_recall_table(precision_recall), class_run_info
        ),
    }
    for metric, figure in figures.items():
        labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
        values = {label: of[metric] for label, of in class_run_info.metrics["image"]["per_class"].items()}
        for label, value in values.items():
            assert any(text.startswith(f"{label.replace('_', ' ')} {value:.3f} (") for text in labels)
        assert f"{class_run_info.metrics['image'][metric]:.3f}" in labels[0]
        assert inside(figure)
        styles = {(line.get_color(), str(line.get_linestyle())) for line in figure.axes[0].lines}
        assert len(styles) >= len(rest) + 1


def test_the_matrix_shows_counts_and_row_shares(class_images: ClassUnits, class_run_info: RunInfo) -> None:
    counts = {"image": class_confusion(class_images), "patient": class_confusion(patient_class_units(class_images))}
    figure = draw_class_confusion(counts, class_run_info)
    for axes, table in zip(figure.axes, counts.values(), strict=True):
        cells = {(round(t.get_position()[0]), round(t.get_position()[1]), t.get_text()) for t in axes.texts}
        for (row, column), count in np.ndenumerate(table):
            assert (column, row, str(count)) in cells
            if count:
                assert (column, row, f"{count / table[row].sum():.0%}") in cells
    assert inside(figure)


def test_examples_are_of_every_class_right_and_wrong(class_images: ClassUnits) -> None:
    examples = choose_class_examples(class_images, 7)
    each = 6 if len(class_images.classes) == 3 else 3
    for number, positions in enumerate(examples):
        mine = class_images.truth == number
        assert len(set(positions)) == len(positions) == min(each, mine.sum())
        assert (class_images.truth[positions] == number).all()
        right, n_right = class_images.right[positions], class_images.right[mine].sum()
        assert right.sum() == min(n_right, each - min(each // 3, mine.sum() - n_right))
        assert right.tolist() == sorted(right, reverse=True)
    again = choose_class_examples(class_images, 7)
    assert np.concatenate(examples).tolist() == np.concatenate(again).tolist()


def test_tiles_say_what_they_are_called(class_images: ClassUnits, class_run_info: RunInfo) -> None:
    examples = choose_class_examples(class_images, 7)
    pixels = np.zeros((sum(map(len, examples)), 8, 8, 3), np.uint8)
    figure = draw_class_grid(pixels, class_images, examples, class_run_info)
    tiles = [axes for axes in figure.axes if axes.axison]
    for axes, index in zip(tiles, np.concatenate(examples), strict=True):
        called = class_images.classes[class_images.predicted[index]].replace("_", " ")
        assert axes.get_xlabel().split(maxsplit=1) == ["called", called]
        assert ("WRONG" in axes.get_title("center")) != class_images.right[index]
    right = class_images.right[class_images.truth == 1]
    heading = f"truly fibroadenoma: {right.sum()} of {len(right)} right"
    assert heading in [text.get_text() for text in figure.findobj(Text)]


def test_words_give_every_class(class_images: ClassUnits, class_run_info: RunInfo) -> None:
    units = {"image": class_images, "patient": patient_class_units(class_images)}
    report, summary = write_class_report(units, class_run_info), summarise(class_run_info)
    for label, of in class_run_info.metrics["image"]["per_class"].items():
        assert report.count(label) == 2
        row = next(line for line in summary.splitlines() if line.startswith(label))
        assert row.split()[1:] == [f"{of[name]:.3f}" for name in ("recall", "precision", "f1", "auc")] + [str(of["n"])]
    assert "macro F1" in summary
    assert "sensitivity" not in summary
    assert "phantom" in report
    assert "phantom" in summary
    assert max(map(len, summary.splitlines())) <= 100
