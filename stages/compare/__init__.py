"""Several networks on the same test images: who is better, how sure that is, and what each costs."""
