"""How the trained network does on damaged test images, and on a magnification that it was not trained on."""
