"""Files to what the classifier says of them, batch by batch, in this process."""

from collections.abc import Callable, Iterator
from pathlib import Path

from bycase.apps.classifier.classifier import Classifier, Predictions, load_classifier
from bycase.apps.predict.found import Found
from bycase.apps.predict.prepare import Batch, prepare_batches
from bycase.apps.runtime.places import EXPORTS, find_model

Answered = tuple[Batch, Predictions | None]  # None where no file of the batch is a picture
Answer = Callable[[Iterator[Found], int], Iterator[Answered]]  # the number of files serves to divide the work


def load_for_runtime(path: Path, runtime: str, batch_size: int, exports: Path = EXPORTS) -> Classifier:
    """Load a classifier to be run in Keras, or in a runtime that it was exported for.

    Raises
    ------
    UserError
        See `load_classifier` and `find_model`.
    """
    if runtime == "keras":
        return load_classifier(path, batch_size)
    from bycase.apps.runtime.load import load_runtime

    return load_classifier(path, batch_size, load_runtime(find_model(runtime, path, exports), runtime, batch_size))


def answer_files(classifier: Classifier, found: Iterator[Found], views: int = 1) -> Iterator[Answered]:
    """Predict files in the order in which they are found.

    Parameters
    ----------
    classifier : Classifier
        Its batch size is that of the files, too.
    found : iterator
        Of `bycase.apps.predict.sources.find_sources`.
    views : int, in [1, 8]
        See `Classifier.predict_prepared`.
    """
    for batch in prepare_batches(found, classifier.prepare, classifier.batch_size):
        yield batch, classifier.predict_prepared(batch.images, views) if batch.names else None
