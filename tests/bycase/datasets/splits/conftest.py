from tests.fixtures.split import duplicates_of as duplicates_of
from tests.fixtures.split import full_manifest as full_manifest
from tests.fixtures.split import small_manifest as small_manifest
from tests.fixtures.split import split_params as split_params
