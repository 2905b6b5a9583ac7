"""The one exception for mistakes that a user can mend."""


class UserError(Exception):
    """A mistake in parameters, data or set-up: what, where and the way out, in one line."""
