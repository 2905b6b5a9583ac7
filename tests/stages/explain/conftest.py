from tests.fixtures.explain import workspace as workspace
