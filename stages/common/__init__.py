"""What every stage shares: parameters, the manifest, errors, safe writing, seeding."""
