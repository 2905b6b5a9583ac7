from tests.fixtures.zoo import backbones as backbones
from tests.fixtures.zoo import noise as noise
