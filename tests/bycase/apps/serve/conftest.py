from tests.fixtures.serve import client as client
from tests.fixtures.serve import make_client as make_client
