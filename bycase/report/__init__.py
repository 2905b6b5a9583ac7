"""The page, the model card and the reporting checklists."""
