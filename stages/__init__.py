"""The stages of the pipeline, one package each, in the order of `dvc.yaml`."""
