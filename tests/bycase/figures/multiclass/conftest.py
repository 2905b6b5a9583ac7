from tests.fixtures.plot import facts as facts
from tests.fixtures.plot import images as images
from tests.fixtures.plot_multiclass import class_facts as class_facts
from tests.fixtures.plot_multiclass import class_images as class_images
