from tests.fixtures.report import bench_folder as bench_folder
from tests.fixtures.report import real_data as real_data
from tests.fixtures.report import run_folder as run_folder
