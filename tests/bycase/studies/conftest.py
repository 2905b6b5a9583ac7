from tests.fixtures.compare import three as three
from tests.fixtures.compare import two as two
