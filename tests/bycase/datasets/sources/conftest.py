from tests.fixtures.download import configure as configure
from tests.fixtures.download import home as home
from tests.fixtures.download import kaggle as kaggle
from tests.fixtures.download import project as project
from tests.fixtures.download import start_stage as start_stage
from tests.fixtures.web import web as web
