from tests.fixtures.plot import facts as facts
from tests.fixtures.plot import history as history
from tests.fixtures.plot import images as images
from tests.fixtures.plot import workspace as workspace
from tests.fixtures.plot import write_further as write_further
from tests.fixtures.plot_multiclass import class_facts as class_facts
from tests.fixtures.plot_multiclass import class_images as class_images
from tests.fixtures.plot_multiclass import class_workspace as class_workspace
