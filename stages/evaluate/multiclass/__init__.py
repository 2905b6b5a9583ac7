"""More than two classes: no threshold, the most probable class is the predicted one."""
