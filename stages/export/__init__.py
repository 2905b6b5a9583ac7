"""The trained network for other programs, compared with Keras before it is written."""
