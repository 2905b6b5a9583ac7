from tests.fixtures.augment import deterministic as deterministic
from tests.fixtures.augment import images as images
from tests.fixtures.augment import settings as settings
