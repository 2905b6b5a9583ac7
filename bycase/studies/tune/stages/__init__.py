"""The stages of `tuning/dvc.yaml`, in a module each."""
