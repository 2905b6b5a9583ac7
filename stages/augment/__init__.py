"""Stage `augment`: random changes of training images, and a figure of them."""
