"""`bycase judge`: what any program predicted gets what this project's own networks get."""
