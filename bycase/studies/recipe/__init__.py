"""Published systems, run as published and run honestly."""
