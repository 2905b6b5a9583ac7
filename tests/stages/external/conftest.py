from tests.fixtures.predict import bundled as bundled
from tests.fixtures.predict import copied as copied
