"""What every floor stands on: parameters, errors, files, seeds, parallel work, and how commands behave."""
