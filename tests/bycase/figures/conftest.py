from tests.fixtures.leakage import make_sample as make_sample
from tests.fixtures.plot import any_images as any_images
from tests.fixtures.plot import any_run_info as any_run_info
from tests.fixtures.plot import history as history
from tests.fixtures.plot import images as images
from tests.fixtures.plot import run_info as run_info
from tests.fixtures.robustness import damaged as damaged
