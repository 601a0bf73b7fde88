"""Every path by which conda asks a channel for something, with the token on each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.conda.report import kind_of, summary
from tests.support.conda_version import conda_version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conda_token_plugin.sandbox.http.messages import Recorded
    from tests.end_to_end.conda.report import Table
    from tests.support.machine import Machine

pytestmark = pytest.mark.conda


def test_every_command_of_an_environment_sends_the_token(
    machine: Machine, solver: str, table: Table
) -> None:
    """With every kind of channel at once: own ones, another organization's, shared, public."""
    machine.variables["CONDA_SOLVER"] = solver
    acme, globex = machine.install("acme"), machine.install("globex")
    tokens = {"acme": acme, "globex": globex, "main": acme, "anaconda-tools": ""}
    channels = machine.only(*_channels(machine))
    at = ("-y", "-q", "-p", str(machine.prefix))
    file = machine.folder / "environment.yml"
    file.write_text(_environment_file(machine, "acme-hello"), "utf-8")
    again = ("-q", "-p", str(machine.folder / "other"), "-f", str(file))

    steps = {
        "conda create": ("create", *at, *channels, "acme-hello=0.9"),
        "conda update": ("update", *at, *channels, "acme-hello"),
        "conda install": ("install", *at, *channels, "acme-private"),
        "conda search": ("search", *channels, "acme-*"),
        "conda env create": ("env", "create", *again),
        "conda env update": ("env", "update", *again),
        "conda run": ("run", "-p", str(machine.prefix), "acme-hello"),
        "conda remove": ("remove", *at, *channels, "acme-private"),
    }
    for step, words in steps.items():
        machine.sandbox.requests.clear()
        if step == "conda env update":
            file.write_text(_environment_file(machine, "acme-hello", "acme-tools"), "utf-8")
        ran = machine.conda(*words).well()
        for channel, seen in _each_with(machine, tokens).items():
            table.add(step, solver=solver, channel=channel, saw=seen or "nothing was asked for")
        if step == "conda run":
            assert ran.out.strip() == "hello from acme-hello 1.0"

    assert machine.installed() == {"acme-hello"}


def test_both_package_formats_and_every_index_get_the_token(machine: Machine, solver: str) -> None:
    """What conda can be made to ask for: by its settings, and by what the channel has."""
    machine.variables["CONDA_SOLVER"] = solver
    token = machine.install("acme")
    for settings, spec in (
        ({"CONDA_REPODATA_USE_ZST": "false"}, "acme-hello=0.9"),
        ({}, "acme-private"),
    ):
        machine.create(*machine.only("acme/main", "acme/private"), spec, **settings).well()
        machine.forget()
    _all_with(machine, token)
    kinds = {kind_of(one.path) for one in machine.sandbox.requests}

    wanted = {"json", "zst", ".conda", ".tar.bz2", "redirected package"}
    if conda_version() >= (26, 7):
        wanted |= {"notices"} | ({"shard index", "shard"} if solver == "rattler" else set())
    assert kinds >= wanted


def test_channel_named_in_any_way_gets_the_token(machine: Machine, table: Table) -> None:
    token = machine.install("acme")
    main = machine.sandbox.url_of("acme", "main")
    where = machine.sandbox.repo.rstrip("/")
    ways = {
        "-c URL/": ("", f"{main}/"),
        "-c URL/subdir": ("", f"{main}/noarch"),
        "below channel_alias": (f"channel_alias: {where}\n", "acme/main"),
        "custom_multichannels": (f"custom_multichannels:\n  ours: [{main}]\n", "ours"),
    }
    for way, (condarc, name) in ways.items():
        machine.sandbox.requests.clear()
        machine.forget()
        machine.condarc(condarc)
        machine.create("--override-channels", "-c", name, "acme-hello").well()
        assert machine.installed() == {"acme-hello"}
        seen = _all_with(machine, token)
        table.add(f"named by {way}", solver="classic", channel="acme", saw=seen)


def test_packages_of_an_explicit_file_get_the_token(machine: Machine, table: Table) -> None:
    token = machine.install("acme")
    channel = machine.only("acme/private")
    machine.create(*channel, "acme-private").well()
    listed = machine.conda("list", "--explicit", "-p", str(machine.prefix)).well()
    file = machine.folder / "explicit.txt"
    file.write_text(listed.out, "utf-8")
    machine.forget()
    machine.sandbox.requests.clear()

    machine.create("--file", str(file)).well()

    assert machine.installed() == {"acme-private"}
    table.add("@EXPLICIT", solver="-", channel="acme", saw=_all_with(machine, token))


def test_offline_command_sends_no_request(machine: Machine, table: Table) -> None:
    machine.install("acme")
    channel = machine.only("acme/main")
    machine.create(*channel, "acme-hello").well()
    machine.sandbox.requests.clear()

    again = ("-y", "-q", "-p", str(machine.folder / "other"), *channel)
    machine.conda("create", "--offline", *again, "acme-hello").well()

    assert not list(machine.sandbox.requests)
    table.add("--offline", solver="classic", channel="acme", saw="nothing was asked for")


def test_command_without_plugins_sends_no_token(machine: Machine, table: Table) -> None:
    machine.install("acme")
    channel = machine.only("acme/main")

    refused = machine.conda("--no-plugins", "search", *channel, "acme-hello").badly()

    assert "403" in refused.said
    assert "conda token" not in refused.said
    assert {one.authorization for one in machine.sandbox.requests} == {""}
    saw = summary(machine.sandbox.requests, names={})
    table.add("--no-plugins", solver="classic", channel="acme", saw=saw)


def _channels(machine: Machine) -> list[str]:
    url = machine.sandbox.url_of
    acme = [url("acme", name) for name in ("main", "private")]
    return [*acme, url("globex", "main"), url("main"), url("anaconda-tools")]


def _environment_file(machine: Machine, *packages: str) -> str:
    channels = _channels(machine)
    if conda_version() < (26, 7):
        channels.append("nodefaults")  # a word of theirs; now it is a channel like any other
    listed = "".join(f"  - {one}\n" for one in channels)
    return f"channels:\n{listed}dependencies:\n" + "".join(f"  - {one}\n" for one in packages)


def _each_with(machine: Machine, tokens: Mapping[str, str]) -> dict[str, str]:
    """What was asked for of each, after a look whether its token was there, and no other."""
    asked: dict[str, list[Recorded]] = {name: [] for name in tokens}
    for one in machine.sandbox.requests:
        _, first, name, *_ = one.path.split("/")
        redirected = first != "repo"  # to another host name, where no token may be sent
        token = "" if redirected else tokens[name]
        assert one.authorization == (f"token {token}" if token else ""), one.path
        asked["acme" if redirected else name].append(one)
    names = {tokens[name]: name for name in ("acme", "globex")}
    return {name: summary(seen, names=names) for name, seen in asked.items()}


def _all_with(machine: Machine, token: str) -> str:
    """What was asked for, after a look whether the token was there, and nowhere else."""
    for one in machine.sandbox.requests:
        assert one.authorization == (f"token {token}" if "/repo/acme/" in one.path else "")
    return summary(machine.sandbox.requests, names={token: "acme"})
