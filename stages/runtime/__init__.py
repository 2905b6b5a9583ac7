"""The trained network in other programs' formats: where an export lies, and how it is run."""
