"""One file with all that a prediction needs: network, classes, thresholds, calibration, preprocessing, reference."""
