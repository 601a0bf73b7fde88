"""Run conda with a bug: ``broken.py before|after MODULE:NAME [arguments of conda …]``.

The message of the bug has the arguments and the result of its function.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Bug(Exception):
    """An unexpected error."""


def place(name: str) -> tuple[Any, str]:
    """Return the object that has the attribute ``module:name``, and the name of the attribute."""
    module, _, path = name.partition(":")
    owner: Any = import_module(module)
    *outer, last = path.split(".")
    for one in outer:
        owner = getattr(owner, one)
    return owner, last


def broken(work: Callable[..., Any], *, then: str) -> Callable[..., Any]:
    """Return ``work`` with a bug ``before`` or ``after`` it."""

    def breaks(*values: Any, **named: Any) -> Any:
        done = work(*values, **named) if then == "after" else None
        told = [getattr(one, "__dict__", "") for one in (*values, done)]
        raise Bug(f"{values} {named} {done} {told}")

    return breaks


def main() -> None:
    """Insert the bug and run conda."""
    from conda.cli.main import main as conda

    _, then, name, *words = sys.argv
    owner, last = place(name)
    setattr(owner, last, broken(getattr(owner, last), then=then))
    sys.argv = ["conda", *words]
    sys.exit(conda(*words))


if __name__ == "__main__":
    main()
