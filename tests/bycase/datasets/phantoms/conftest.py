from tests.fixtures.download import project as project
