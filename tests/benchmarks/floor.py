"""The floor: the cost that no plugin with this task can avoid.

It is an environment with the dependencies of the plugin and with its drop-in. In the place of the
plugin, it has a package of empty modules: two with the hooks, as conda calls them at the start, and
as many as a request imports.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tests.benchmarks.hosts import FLOOR, layered, output, packages_of, requirements_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.homes import Home
    from tests.benchmarks.hosts import Host, Subject

OF_A_REQUEST = 21
"""Number of modules that ``tests/budgets`` allow for the first request."""
NOTHING = '"""Nothing."""\n\nfrom __future__ import annotations\n'
HOOKS = f"""{NOTHING}
from conda.plugins import hookimpl


@hookimpl(wrapper=True)
def conda_subcommands():
    return (yield)


@hookimpl
def conda_auth_handlers():
    return ()


@hookimpl
def conda_error_hints(error):
    return ()


@hookimpl
def conda_settings():
    return ()


@hookimpl
def conda_post_commands():
    return ()


@hookimpl
def conda_health_checks():
    return ()
"""
DROP_IN = ".conda/condarc.d"


def made(ours: Subject, *, host: Host, under: Path) -> Subject:
    """Make the environment, beside that of ``ours``."""
    floor = layered(FLOOR, *requirements_of(ours), host=host, under=under)
    shutil.copytree(ours.folder / "condarc.d", floor.folder / "condarc.d")
    idle = packages_of(floor) / "idle"
    idle.mkdir()
    others = [f"m{number}" for number in range(2, OF_A_REQUEST)]
    request = f"{NOTHING}\nfrom idle import {', '.join(others)}\n"
    texts = {**dict.fromkeys(("__init__", *others), NOTHING), "plugin": HOOKS, "request": request}
    for name, text in texts.items():
        (idle / f"{name}.py").write_text(text, "utf-8")
    output([floor.python, "-m", "compileall", "-q", str(idle)])
    return floor


def told(home: Home, *, by: Home) -> Home:
    """Copy the drop-in of another home into ``home``; return ``home``."""
    shutil.copytree(by.folder / DROP_IN, home.folder / DROP_IN)
    return home
