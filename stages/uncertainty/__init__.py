"""How sure the network is of each image: repeated predictions, prediction sets, and when to abstain."""
