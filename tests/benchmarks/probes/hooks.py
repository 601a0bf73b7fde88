"""Measure a plugin at the start of conda: ``hooks.py DISTRIBUTION``.

Prints milliseconds and modules.

"the floor" is no distribution: of it, ``idle.plugin`` is loaded.

Its entry point is imported and registered, and every hook that it has and that conda calls
on each command is called, as conda does it; what the others' hooks take is subtracted.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from importlib.metadata import distribution
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from conda.base.context import context, reset_context
from conda.cli.conda_argparse import generate_parser
from conda.plugins.manager import CondaPluginManager

if TYPE_CHECKING:
    from collections.abc import Iterable

ON_DEMAND = frozenset({"conda_auth_handlers", "conda_health_checks", "conda_solvers"})
"""Hooks without arguments that most commands do not call."""


def manager_of_conda() -> CondaPluginManager:
    """Return the plugin manager with only conda's own plugins, and with its imports loaded."""
    with patch.object(CondaPluginManager, "load_entrypoints", return_value=0):
        reset_context()
        generate_parser(add_help=True)
        return context.plugin_manager


def loaded(manager: CondaPluginManager, name: str) -> list[Any]:
    """Import and register the plugins of the distribution ``name``; return them."""
    if name == "the floor":
        plugins = [import_module("idle.plugin")]
    else:
        points = [one for one in distribution(name).entry_points if one.group == "conda"]
        plugins = [point.load() for point in points]
    for plugin in plugins:
        manager.register(plugin)
    return plugins


def hooks_of(manager: CondaPluginManager, plugins: Iterable[Any]) -> list[str]:
    """Return the names of the hooks of ``plugins`` that conda calls in each command."""
    callers = [caller for plugin in plugins for caller in manager.get_hookcallers(plugin) or ()]
    return [one.name for one in callers if not one.spec.argnames and one.name not in ON_DEMAND]


def call(manager: CondaPluginManager, names: Iterable[str]) -> float:
    """Return the milliseconds that calling these hooks takes."""
    began = time.perf_counter_ns()
    for name in names:
        for found in getattr(manager.hook, name)():
            list(found)
    return (time.perf_counter_ns() - began) / 1e6


def main(name: str) -> dict[str, float]:
    """Load the plugin, call its hooks, and call them again without it."""
    manager = manager_of_conda()
    before = set(sys.modules)
    began = time.perf_counter_ns()
    plugins = loaded(manager, name)
    loading = (time.perf_counter_ns() - began) / 1e6
    names = hooks_of(manager, plugins)
    calling = call(manager, names)
    added = set(sys.modules) - before
    for plugin in plugins:
        manager.unregister(plugin)
    return {"milliseconds": loading + calling - call(manager, names), "modules": len(added)}


if __name__ == "__main__":
    measured = main(sys.argv[1])
    sys.stdout.write("\n" + json.dumps(measured))
