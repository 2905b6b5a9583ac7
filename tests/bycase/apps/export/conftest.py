from tests.fixtures.export import expected as expected
from tests.fixtures.export import pixels as pixels
from tests.fixtures.export import tiny as tiny
from tests.fixtures.export import validation as validation
from tests.fixtures.export import workspace as workspace
