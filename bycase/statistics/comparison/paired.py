"""Several networks' predictions of the same images, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bycase.core.errors import UserError
from bycase.statistics.pooling import MEAN, Pooling, read_pooling
from bycase.statistics.units import (
    Bools,
    Floats,
    Integers,
    Units,
    number_classes,
    number_patient_units,
    number_patients,
    positive_number,
    predict_classes,
)

UNIT = ["repeat", "image"]  # what every network predicts once
SAME = ["label", "patient", "fold"]  # what the networks must agree on


@dataclass(frozen=True)
class Paired:
    """Images, or patients, that several networks have predicted.

    Attributes
    ----------
    models : tuple of str
        The networks.
    classes : tuple of str
        All classes.
    positive : int or None
        Of two classes, the number of the one that is looked for; None with more.
    patients : ndarray of shape (n_patients,), str
        Names, sorted: independent of the order of the networks and of the images.
    names : ndarray of shape (n_units,), str
        The image, or the patient, of each unit.
    truth : ndarray of shape (n_units,), int64, in [0, n_classes)
        The true class.
    scores : ndarray of shape (n_models, n_units, n_classes), float64, in [0, 1]
        Predicted probabilities.
    predicted : ndarray of shape (n_models, n_units), int64, in [0, n_classes)
        The predicted class; of two by each fold's own threshold.
    patient : ndarray of shape (n_units,), int64, in [0, n_patients)
        What varies from sample to sample.
    fold : ndarray of shape (n_units,), int64, from 0 up
        That of each repeat, all numbered apart; see `bycase.statistics.units.Units`.
    repeat : ndarray of shape (n_units,), int64
        The draw of all folds, in which each image is predicted once.
    patient_threshold : ndarray of shape (n_models, n_units), float64
        Of the positive class's probability of a patient; NaN with more than two classes.
    pooling : ndarray of shape (n_models, n_units), str, or None
        How a patient's images are put together in the unit's fold, see `bycase.statistics.pooling.read_pooling`; None:
        by their mean.
    """

    models: tuple[str, ...]
    classes: tuple[str, ...]
    positive: int | None
    patients: NDArray[np.str_]
    names: NDArray[np.str_]
    truth: Integers
    scores: Floats
    predicted: Integers
    patient: Integers
    fold: Integers
    repeat: Integers
    patient_threshold: Floats
    pooling: NDArray[np.str_] | None = None

    @property
    def n_patients(self) -> int:
        """Number of distinct patients."""
        return len(self.patients)

    @property
    def repeats(self) -> Integers:
        """The distinct repeats, in order."""
        return np.unique(self.repeat)

    @property
    def right(self) -> Bools:
        """Whether each network predicts the true class of each unit; (n_models, n_units)."""
        return self.predicted == self.truth

    def units(self, number: int) -> Units:
        """The units as one network predicts them."""
        scores, predicted = self.scores[number], self.predicted[number]
        return Units(self.classes, self.truth, scores, predicted, self.patient, self.fold, self.positive)

    def of_repeat(self, repeat: int) -> "Paired":
        """The units of one repeat, patients numbered as before."""
        rows = self.repeat == repeat
        return replace(
            self,
            names=self.names[rows],
            truth=self.truth[rows],
            scores=self.scores[:, rows],
            predicted=self.predicted[:, rows],
            patient=self.patient[rows],
            fold=self.fold[rows],
            repeat=self.repeat[rows],
            patient_threshold=self.patient_threshold[:, rows],
            pooling=None if self.pooling is None else self.pooling[:, rows],
        )


def paired_benchmark(predictions: pd.DataFrame, classes: Sequence[str], positive: str | None, name: Path) -> Paired:
    """Put the networks of the benchmark side by side, at image level.

    Parameters
    ----------
    predictions : DataFrame
        See `bycase.tables.out_of_fold`; the networks keep the order in which they first appear. A column ``predicted``,
        where there is one, has the classes of the images that were decided otherwise than by the threshold; a column
        ``aggregation``, how the cell's patients are made of images, by their mean where there is none.
    classes : sequence of str
        All classes.
    positive : str or None
        Of two classes, the one that is looked for.
    name : Path
        Where the predictions are from, named in errors.

    Raises
    ------
    UserError
        If two networks were not tested on exactly the same images with the same labels, patients and folds, no fold
        has images of two classes, or a threshold is missing.
    """
    models = tuple(dict.fromkeys(predictions["model"]))
    tables = [predictions[predictions["model"] == model].sort_values(UNIT, ignore_index=True) for model in models]
    for model, table in zip(models, tables, strict=True):
        _check_same(models[0], tables[0], model, table, name)
    first = tables[0]
    patients, patient = np.unique(first["patient"].to_numpy(str), return_inverse=True)
    _, fold = np.unique(first[["repeat", "fold"]].to_numpy(np.int64), axis=0, return_inverse=True)
    fold = fold.ravel().astype(np.int64)
    truth, positive_class = number_classes(first["label"], classes), positive_number(classes, positive)
    scores = np.stack([table[list(classes)].to_numpy(np.float64) for table in tables])
    threshold, patient_threshold = (
        np.stack([table[column].to_numpy(np.float64) for table in tables])
        for column in ("threshold", "patient_threshold")
    )
    if positive_class is not None and not (np.isfinite(threshold) & np.isfinite(patient_threshold)).all():
        raise UserError(f"{name}: a threshold is missing, without which no class is predicted; gather it anew")
    if not any(np.ptp(truth[fold == number]) > 0 for number in np.unique(fold)):
        raise UserError(f"{name}: no fold has test images of two classes, so that no AUC is defined; use fewer folds")
    predicted = predict_classes(scores, positive_class, threshold)
    if "predicted" in predictions:
        given = np.stack([number_classes(table["predicted"], classes) for table in tables])
        predicted = np.where(given < 0, predicted, given)
    rules = None
    if "aggregation" in predictions:
        rules = np.stack([table["aggregation"].fillna(MEAN).to_numpy(str) for table in tables])
    return Paired(
        models=models,
        classes=tuple(classes),
        positive=positive_class,
        patients=patients,
        names=first["image"].to_numpy(str),
        truth=truth,
        scores=scores,
        predicted=predicted,
        patient=patient.astype(np.int64),
        fold=fold,
        repeat=first["repeat"].to_numpy(np.int64),
        patient_threshold=patient_threshold,
        pooling=rules,
    )


def run_rows(
    model: str,
    predictions: pd.DataFrame,
    manifest: pd.DataFrame,
    threshold: float | None,
    patient_threshold: float | None,
    name: Path,
    pooling: Pooling | None = None,
) -> pd.DataFrame:
    """The predictions of a single run in the benchmark's layout, as its only repeat and fold.

    Those of several runs, one below the other, are what `paired_benchmark` reads.

    Parameters
    ----------
    model : str
        The run's name.
    predictions : DataFrame
        Of its test part; see `bycase.tables.predictions`.
    manifest : DataFrame with the columns ``image``, ``group``
        Says whose the images are.
    threshold, patient_threshold : float or None
        Of the positive class, chosen on the run's validation; None with more than two classes.
    name : Path
        The predictions' file, named in errors.
    pooling : Pooling, optional
        How patients are made of images; by default by their mean.

    Raises
    ------
    UserError
        If an image is not in the manifest.
    """
    number = number_patients(predictions, manifest, name)
    # Named by an image of its own, since another run may number its patients otherwise.
    patient = predictions.groupby(number)["image"].transform("min")
    return predictions.drop(columns="group").assign(
        model=model,
        repeat=0,
        fold=0,
        patient=patient,
        threshold=np.nan if threshold is None else threshold,
        patient_threshold=np.nan if patient_threshold is None else patient_threshold,
        aggregation=str(pooling or Pooling()),
    )


def patient_level(images: Paired) -> Paired:
    """Score each patient by the images' probabilities, put together by each network's own rule, within a fold.

    As in `bycase.statistics.units.patient_units`, a patient with images of several classes counts once a class.
    """
    first, group = number_patient_units(images.units(0))
    threshold = images.patient_threshold[:, first]
    rules = None if images.pooling is None else images.pooling[:, first]
    scores = np.empty((len(images.models), len(first), len(images.classes)))
    for number, of_images in enumerate(images.scores):
        own = np.full(len(first), MEAN) if rules is None else rules[number]
        for rule in np.unique(own):
            scores[number, own == rule] = read_pooling(rule).pool(of_images, group, images.positive)[own == rule]
    return replace(
        images,
        names=images.patients[images.patient[first]],
        truth=images.truth[first],
        scores=scores,
        predicted=predict_classes(scores, images.positive, threshold),
        patient=images.patient[first],
        fold=images.fold[first],
        repeat=images.repeat[first],
        patient_threshold=threshold,
        pooling=rules,
    )


def _check_same(one: str, table: pd.DataFrame, other: str, others: pd.DataFrame, name: Path) -> None:
    """Refuse two networks' rows, each sorted by `UNIT`, that are not of the same images."""
    way_out = "networks are compared on the same images only: take them from one split of one data set"
    for model, rows in ((one, table), (other, others)):
        twice = rows["image"][rows.duplicated(UNIT)]
        if len(twice):
            raise UserError(f"{name}: image {twice.iloc[0]} stands twice in a repeat of {model}; {way_out}")
    mine, theirs = (pd.MultiIndex.from_frame(rows[UNIT]) for rows in (table, others))
    apart = mine.symmetric_difference(theirs)
    if len(apart):
        tested, lacking = (one, other) if apart[0] in mine else (other, one)
        raise UserError(
            f"{name}: image {apart[0][1]} of repeat {apart[0][0]} was tested by {tested}, not by {lacking}; {way_out}"
        )
    for column in SAME:
        differ = (table[column] != others[column]).to_numpy()
        if differ.any():
            row = int(differ.argmax())
            raise UserError(
                f"{name}: image {table['image'].iloc[row]} has {column} {table[column].iloc[row]} with {one}, but "
                f"{others[column].iloc[row]} with {other}; {way_out}"
            )
