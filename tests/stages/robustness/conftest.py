from tests.fixtures.robustness import workspace as workspace
