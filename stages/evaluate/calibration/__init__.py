"""Whether a predicted probability comes true as often as it says, and temperature scaling, which mends it."""
