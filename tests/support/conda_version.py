"""The conda that the tests run with, and its solvers."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def conda_version() -> tuple[int, ...]:
    """Return year and month of the conda that can be imported, or an empty tuple."""
    try:
        return tuple(int(part) for part in version("conda").split(".")[:2])
    except PackageNotFoundError:  # the tests that need one are skipped
        return ()


def solver_missing(name: str) -> str:
    """Return why the solver cannot be used, or an empty string if it can."""
    if name == "classic":
        return ""
    try:
        version("conda-rattler-solver")
    except PackageNotFoundError:  # it is not part of conda
        return "conda-rattler-solver is not installed"
    # conda-rattler-solver 0.2 calls PrefixData(…, interoperability=…), which was added in 25.5.
    return "conda-rattler-solver needs a later conda" if conda_version() < (25, 5) else ""
