from tests.fixtures.evaluate_calibration import sharpened as sharpened
from tests.fixtures.evaluate_calibration import sharpened_classes as sharpened_classes
