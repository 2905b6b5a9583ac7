from tests.fixtures.plot import images as images
from tests.fixtures.plot import run_info as run_info
from tests.fixtures.plot_multiclass import class_images as class_images
from tests.fixtures.plot_multiclass import class_run_info as class_run_info
