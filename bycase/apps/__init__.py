"""What people run on new images: predict, serve, export, publish."""
