from tests.fixtures.uncertainty import make_workspace as make_workspace
from tests.fixtures.zoo import backbone as backbone
from tests.fixtures.zoo import backbones as backbones
from tests.fixtures.zoo import fitting_noise as fitting_noise
from tests.fixtures.zoo import noise as noise
