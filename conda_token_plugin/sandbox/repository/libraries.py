"""Import the libraries of the `demo` extra, with a one-line error if one is missing."""

from __future__ import annotations

import importlib
import sys
from typing import Any

# Zstandard is in Python itself since 3.14; before, conda-package-streaming brings this backport.
ZSTD = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"


class MissingLibraryError(Exception):
    """A library that is needed to make packages is not installed."""

    def __init__(self, name: str) -> None:
        """Compose the message for the module `name`."""
        super().__init__(
            f"the sandbox makes its packages with {name}, which is not installed: "
            'pip install "conda-token-plugin[demo]"'
        )


def library(name: str) -> Any:
    """Import a module of the `demo` extra.

    Raises:
        MissingLibraryError: The module is not installed.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as e:  # installed without the extra
        raise MissingLibraryError(name) from e
