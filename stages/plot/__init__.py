"""Figures for people, curves for `dvc plots`, and the results in words."""
