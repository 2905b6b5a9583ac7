from tests.fixtures.evaluate import simulate as simulate
