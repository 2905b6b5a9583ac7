from tests.fixtures.evaluate import network as network
from tests.fixtures.evaluate import workspace as workspace
from tests.fixtures.judge import expose_make_table as expose_make_table
from tests.fixtures.judge import save as save
