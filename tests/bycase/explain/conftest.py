from tests.fixtures.explain import images as images
from tests.fixtures.explain import make_network as make_network
from tests.fixtures.explain import network as network
