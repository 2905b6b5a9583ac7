"""The manual, and the code that MkDocs runs to fill in what is generated."""
