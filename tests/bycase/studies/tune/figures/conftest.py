from tests.fixtures.tune_outcome import make_search as make_search
