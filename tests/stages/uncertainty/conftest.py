from tests.fixtures.uncertainty import make_workspace as make_workspace
