from tests.fixtures.evaluate import network as network
from tests.fixtures.evaluate import workspace as workspace
from tests.fixtures.robustness import tested as tested
