"""Maps of where a network sees its class, and what they are worth."""
