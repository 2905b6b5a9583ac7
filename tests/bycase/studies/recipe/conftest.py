from tests.fixtures.recipe import _committed as _committed
from tests.fixtures.recipe import make_run as make_run
from tests.fixtures.recipe import recipe_command as recipe_command
from tests.fixtures.recipe import stand_in as stand_in
