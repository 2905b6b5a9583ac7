from tests.fixtures.download import configure as configure
from tests.fixtures.download import project as project
from tests.fixtures.download import start_stage as start_stage
