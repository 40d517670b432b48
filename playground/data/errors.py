"""The one error of this package."""


class DataError(ValueError):
    """Data cannot be opened or read; the message names the file, row or column and the way out."""
