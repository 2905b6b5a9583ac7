from tests.fixtures.robustness import damaged as damaged
from tests.fixtures.robustness import simulate as simulate
