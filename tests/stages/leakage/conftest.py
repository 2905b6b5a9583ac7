from tests.fixtures.leakage import make_sample as make_sample
