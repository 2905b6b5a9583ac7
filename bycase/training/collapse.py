"""The collapse guard: a training that finds nothing but the class shares, or runs away, is stopped and told why."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bycase.training.checkpoint import Progress

# How near, relatively, the loss must be to a constant prediction's to sit at it.
PLATEAU_TOLERANCE = 0.03
# How many times a constant prediction's loss a diverging training exceeds.
DIVERGENCE = 3.0


@dataclass(frozen=True)
class CollapseGuard:
    """Counts epochs in a row in which a network does no better than a constant.

    Attributes
    ----------
    prior_loss : float
        See `bycase.training.losses.prior_loss`, in nats.
    classes : list of str
        In the order of the probability columns.
    patience : int
        Epochs in a row until it is a collapse.
    """

    prior_loss: float
    classes: list[str]
    patience: int

    def observe(self, progress: Progress, loss: float, probabilities: NDArray[np.float64]) -> str | None:
        """Take in one epoch, and say what has collapsed and what usually causes it, once that is so.

        Parameters
        ----------
        progress : Progress
            Its counts of such epochs in a row are updated.
        loss : float
            Mean training loss of the epoch, in nats.
        probabilities : ndarray of shape (n_validation_images, n_classes)
            Rows sum to 1.
        """
        predicted = probabilities.argmax(axis=1)
        progress.one_class_epochs = progress.one_class_epochs + 1 if (predicted == predicted[0]).all() else 0
        at_prior = abs(loss - self.prior_loss) <= PLATEAU_TOLERANCE * self.prior_loss
        progress.plateau_epochs = progress.plateau_epochs + 1 if at_prior else 0
        diverging = loss > DIVERGENCE * self.prior_loss
        progress.diverging_epochs = progress.diverging_epochs + 1 if diverging else 0
        if progress.plateau_epochs >= self.patience:
            return (
                f"collapse: the training loss has sat at {loss:.3f}, the loss of a constant prediction "
                f"({self.prior_loss:.3f}), for {self.patience} epochs: nothing is learned from the images. "
                "Usual causes: images rescaled twice or not at all, a learning rate far off, frozen random weights"
            )
        if progress.diverging_epochs >= self.patience:
            return (
                f"divergence: the training loss is {loss:.3f}, more than {DIVERGENCE:g} times that of a constant "
                f"prediction ({self.prior_loss:.3f}), for {self.patience} epochs. Usual cause: a learning rate too "
                "high; lower it, or set train.warmup_epochs or train.gradient_clip"
            )
        if progress.one_class_epochs >= self.patience:
            return (
                f"collapse: every validation image has been predicted {self.classes[int(predicted[0])]} for "
                f"{self.patience} epochs. Usual causes: unbalanced classes without train.class_weight or sampling, "
                "images rescaled twice or not at all, a learning rate far off"
            )
        return None
