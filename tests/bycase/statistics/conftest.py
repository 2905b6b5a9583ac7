from tests.fixtures.units import sharpened as sharpened
from tests.fixtures.units import sharpened_classes as sharpened_classes
from tests.fixtures.units import simulate as simulate
from tests.fixtures.units import simulate_classes as simulate_classes
