"""What the conda of this test run is and can."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def conda_version() -> tuple[int, ...]:
    """Year and month of the conda that can be imported here; nothing where there is none."""
    try:
        return tuple(int(part) for part in version("conda").split(".")[:2])
    except PackageNotFoundError:  # the tests that are about it are skipped
        return ()


def solver_missing(name: str) -> str:
    """Why the solver cannot be used here; empty when it can."""
    if name == "classic":
        return ""
    try:
        version("conda-rattler-solver")
    except PackageNotFoundError:  # it is not part of conda
        return "conda-rattler-solver is not installed"
    # conda-rattler-solver 0.2 asks for PrefixData(…, interoperability=…), which came with 25.5.
    return "conda-rattler-solver needs a later conda" if conda_version() < (25, 5) else ""
