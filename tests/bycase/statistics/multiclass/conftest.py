from tests.fixtures.evaluate import workspace as workspace
from tests.fixtures.evaluate_multiclass import simulate_classes as simulate_classes
