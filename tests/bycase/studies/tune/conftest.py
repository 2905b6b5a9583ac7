from tests.fixtures.tune import tuned as tuned
