from tests.fixtures.benchmark import fake_stages as fake_stages
