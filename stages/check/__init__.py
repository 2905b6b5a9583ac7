"""The parameters, checked as a whole before anything runs."""
