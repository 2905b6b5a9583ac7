"""What a folder, an archive or a table of images seems to be, and on what evidence."""
