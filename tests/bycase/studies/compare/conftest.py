from tests.fixtures.compare import expose_make_synthetic as expose_make_synthetic
from tests.fixtures.compare import inputs_of as inputs_of
from tests.fixtures.compare import three as three
from tests.fixtures.compare import two as two
