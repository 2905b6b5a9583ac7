"""What a run shows, for people: one HTML page, a model card, and two reporting checklists."""
