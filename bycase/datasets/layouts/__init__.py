"""One module a layout: what its folders and file names say."""
