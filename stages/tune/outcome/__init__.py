"""What searches found: nested evaluation, figures, the settings to use, and methods side by side."""
