"""A local web page and an HTTP API that classify images with a trained network."""
