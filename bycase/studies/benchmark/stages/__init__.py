"""The stages of `benchmark/dvc.yaml`, in a module each."""
