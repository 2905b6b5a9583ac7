from tests.fixtures.plot import history as history
from tests.fixtures.plot import images as images
from tests.fixtures.plot import run_info as run_info
from tests.fixtures.plot import workspace as workspace
from tests.fixtures.plot import write_further as write_further
from tests.fixtures.plot_multiclass import class_images as class_images
from tests.fixtures.plot_multiclass import class_run_info as class_run_info
from tests.fixtures.plot_multiclass import class_workspace as class_workspace
