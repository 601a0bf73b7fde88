"""The hooks' contract, without a conda: what is registered, and what it costs to register it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

ROOT = Path(__file__).parents[1]
STAND_IN = """
import sys, types
from dataclasses import dataclass
from typing import Any

class Registered(types.SimpleNamespace):
    pass

def hookimpl(function=None, *, wrapper=False, **_):
    def mark(hook):
        hook.wrapper = wrapper
        return hook
    return mark if function is None else mark(function)

kinds = types.ModuleType("conda.plugins.types")
kinds.__getattr__ = lambda name: type(name, (Registered,), {})
plugins = types.ModuleType("conda.plugins")
plugins.hookimpl, plugins.types = hookimpl, kinds
conda, common, settings = (types.ModuleType(name) for name in
                          ("conda", "conda.common", "conda.common.configuration"))
settings.PrimitiveParameter = lambda default, **_: default
base, context = types.ModuleType("conda.base"), types.ModuleType("conda.base.context")
context.context = types.SimpleNamespace(json=False)
sys.modules |= {module.__name__: module for module in (base, context)}
conda.plugins, conda.common, common.configuration = plugins, common, settings
sys.modules |= {module.__name__: module for module in (conda, common, settings, plugins, kinds)}
import argparse, collections.abc, dataclasses, datetime, json, pathlib, typing, urllib.parse
import requests, platformdirs
before = set(sys.modules)
from conda_token_plugin import plugin
"""
"""A conda of some lines, with the modules that a real one has loaded by then."""


def run(script: str) -> Any:
    """Run ``script`` after the stand-in; return the JSON document that it prints."""
    code = STAND_IN + dedent(script)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_registering_loads_two_modules_of_ours_and_none_of_others() -> None:
    loaded = run("""
        subcommands = plugin.conda_subcommands()
        next(subcommands)
        try:
            subcommands.send([])
        except StopIteration:
            pass
        on_demand = {"conda_subcommands", "conda_auth_handlers"}
        for name in {n for n in vars(plugin) if n.startswith("conda_")} - on_demand:
            hook = getattr(plugin, name)
            harmless = [ValueError("not about the web")] if "hints" in name else []
            list(hook(*harmless))
        print(json.dumps(sorted(set(sys.modules) - before)))
    """)

    assert loaded == ["conda_token_plugin", "conda_token_plugin.plugin"]


def test_pluggy_finds_each_hook_and_nothing_else() -> None:
    told, hooks = run("""
        hooks = [name for name, value in vars(plugin).items() if hasattr(value, "wrapper")]
        print(json.dumps([sorted(dir(plugin)), sorted(hooks)]))
    """)

    assert told == hooks


def test_subcommand_has_no_parser_and_replaces_the_token_command_of_another_plugin() -> None:
    names = run("""
        theirs = [[plugin.CondaSubcommand(name="token"), plugin.CondaSubcommand(name="repo")]]
        subcommands = plugin.conda_subcommands()
        next(subcommands)
        try:
            subcommands.send(theirs)
        except StopIteration as stop:
            commands = [command for group in stop.value for command in group]
        ours = commands[-1]
        print(json.dumps([[c.name for c in commands], hasattr(ours, "configure_parser"),
                          plugin.conda_subcommands.wrapper]))
    """)

    assert names == [["repo", "token"], False, True]


def test_subcommand_passes_its_words_on_and_returns_the_exit_code() -> None:
    code = run("""
        import contextlib, io
        with contextlib.redirect_stderr(io.StringIO()) as err:
            code = plugin.token(("no-such-verb",))
        print(json.dumps([code, "no-such-verb" in err.getvalue()]))
    """)

    assert code == [2, True]


def test_json_option_of_conda_itself_is_passed_to_the_command() -> None:
    code, kind = run("""
        import contextlib, io
        context.context.json = True
        with contextlib.redirect_stdout(io.StringIO()) as out:
            code = plugin.token(("no-such-verb",))
        print(json.dumps([code, json.loads(out.getvalue())["error"]["kind"]]))
    """)

    assert (code, kind) == (2, "BadInput")


LIBRARIES = ("filelock", "keyring", "oauthlib", "platformdirs", "rich", "ruamel", "shtab")
WITHOUT_LIBRARIES = f"""
import io, json, sys
from contextlib import redirect_stderr, redirect_stdout
for name in {LIBRARIES!r}:
    for one in [one for one in sys.modules if one.partition(".")[0] == name]:
        del sys.modules[one]
    sys.modules[name] = None
out, err = io.StringIO(), io.StringIO()
"""


def test_command_without_its_libraries_names_what_to_install() -> None:
    found = run(
        WITHOUT_LIBRARIES
        + dedent("""
        with redirect_stdout(out), redirect_stderr(err):
            codes = [plugin.token(words) for words in (
                ("list",), ("login", "--device"), ("set", "--token-env", "X"), ("sync",))]
        json.dump([codes, out.getvalue(), err.getvalue()], sys.stdout)
        """)
    )
    codes, out, err = found
    assert codes[0] == 1
    assert "conda install --name base" in err
    assert "filelock" in err
    assert "Traceback" not in out + err
