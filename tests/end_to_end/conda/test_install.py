"""The main job: an environment from protected channels, however they are named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.conda.report import summary
from tests.support.conda_version import conda_version

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.end_to_end.conda.report import Table
    from tests.support.machine import Machine, Ran

pytestmark = pytest.mark.conda

PACKAGES = ("acme-hello", "acme-tools", "acme-private")


def by_option(machine: Machine) -> tuple[str, ...]:
    """``-c URL``, with and without a final slash."""
    return (*machine.only("acme/main"), "-c", machine.sandbox.url_of("acme", "private") + "/")


def by_channels(machine: Machine) -> tuple[str, ...]:
    """``channels:`` of the user's own condarc."""
    url = machine.sandbox.url_of
    machine.condarc(f"channels:\n- {url('acme', 'main')}\n- {url('acme', 'private')}\n")
    return ()


def by_default_channels(machine: Machine) -> tuple[str, ...]:
    """``default_channels:`` of the user's own condarc."""
    url = machine.sandbox.url_of
    machine.condarc(
        f"channels: [defaults]\ndefault_channels:\n"
        f"- {url('acme', 'main')}\n- {url('acme', 'private')}\n"
    )
    return ()


def by_package(machine: Machine) -> tuple[str, ...]:
    """``channel::package``, with a channel of ``custom_channels``."""
    where = machine.sandbox.repo.rstrip("/")
    machine.condarc(f"custom_channels:\n  acme/main: {where}\n  acme/private: {where}\n")
    return (
        *("--override-channels", "-c", "acme/main", "-c", "acme/private"),
        *("acme/main::acme-hello", "acme/private::acme-private", "acme/main::acme-tools"),
    )


WAYS = {
    "-c URL": by_option,
    "channels:": by_channels,
    "default_channels:": by_default_channels,
    "channel::package": by_package,
}


@pytest.mark.parametrize("way", WAYS)
def test_environment_is_created_with_the_token_and_refused_without(
    machine: Machine, way: str, solver: str, table: Table
) -> None:
    if (way, solver) == ("channel::package", "rattler") and conda_version() < (26, 7):
        pytest.skip("with an older conda, conda-rattler-solver finds no channel::package at all")
    machine.variables["CONDA_SOLVER"] = solver
    token = machine.install("acme")
    arguments = _arguments(machine, WAYS[way])

    machine.create(*arguments).well()

    assert machine.installed() == set(PACKAGES)
    seen = list(machine.sandbox.requests)
    assert {one.authorization for one in seen if "/repo/acme/" in one.path} == {f"token {token}"}
    redirected = [one for one in seen if one.path.startswith("/signed/")]
    assert len(redirected) == 1, "the package of acme/private is redirected to another host name"
    assert not redirected[0].authorization
    table.add(way, solver=solver, channel="acme", saw=summary(seen, names={token: "acme"}))

    machine.conda("token", "remove", "acme").well()
    machine.forget()
    refused = machine.create(*arguments).badly()
    assert "HTTP 403" in refused.said
    assert not machine.installed()


def test_remove_restores_the_configuration(machine: Machine) -> None:
    machine.condarc("# mine\nchannels: [conda-forge]   # and mine alone\n")
    before = _configuration(machine)
    machine.install("acme", "--set-default-channels")
    assert _configuration(machine) != before

    machine.conda("token", "remove", "acme").well()

    assert _configuration(machine) == before
    assert not machine.dropin.parent.exists()


def test_each_organization_gets_its_own_token_and_another_host_none(
    machine: Machine, solver: str, table: Table
) -> None:
    machine.variables["CONDA_SOLVER"] = solver
    acme, globex = machine.install("acme"), machine.install("globex")
    channels = machine.only("acme/main", "globex/main", "anaconda-tools")

    machine.create(*channels, "acme-hello", "globex-hello").well()

    names = {acme: "acme", globex: "globex"}
    for channel, sent in (("acme", f"token {acme}"), ("globex", f"token {globex}")):
        _only(machine, f"/repo/{channel}/", sent=sent)
    _only(machine, "/repo/anaconda-tools/", sent="")
    for channel in ("acme", "globex", "anaconda-tools"):
        seen = [one for one in machine.sandbox.requests if f"/repo/{channel}/" in one.path]
        table.add("two at once", solver=solver, channel=channel, saw=summary(seen, names=names))


def test_organization_with_the_same_prefix_gets_no_token(machine: Machine, table: Table) -> None:
    acme = machine.install("acme")

    for channel in ("acme-evil", "acme"):
        machine.create(*machine.only(f"{channel}/main"), f"{channel}-hello")

    _only(machine, "/repo/acme/", sent=f"token {acme}")
    _only(machine, "/repo/acme-evil/", sent="")
    assert machine.installed() == {"acme-hello"}
    seen = [one for one in machine.sandbox.requests if "/repo/acme-evil/" in one.path]
    table.add("-c URL", solver="classic", channel="acme-evil", saw=summary(seen, names={}))


def test_set_default_channels_are_used_with_the_token(machine: Machine, table: Table) -> None:
    machine.condarc("channels: [defaults]\n")
    token = machine.install("acme", "--set-default-channels")

    machine.create("main-hello").well()

    assert machine.installed() == {"main-hello"}
    for channel in ("main", "r", "msys2"):
        _only(machine, f"/repo/{channel}/", sent=f"token {token}")
    saw = summary(machine.sandbox.requests, names={token: "acme"})
    table.add("default_channels: of ours", solver="classic", channel="main, r, msys2", saw=saw)


@pytest.mark.parametrize("condarc", ["", "channels: [NEAR]\n"], ids=["no channels", "another"])
def test_default_channels_are_used_where_defaults_was_not_among_the_channels(
    machine: Machine, condarc: str
) -> None:
    near = machine.sandbox.url_of("acme", "main")
    machine.condarc(condarc.replace("NEAR", near))
    machine.install("acme")
    machine.conda("token", "config", "--yes").well()
    if condarc:  # without a terminal, `defaults` is not added, and the command to run is printed
        ran = machine.conda("token", "config", "--yes").well()
        assert f"in this order: {near}\n" in ran.err
        assert "Run: conda config --append channels defaults" in ran.err
        machine.conda("config", "--append", "channels", "defaults").well()

    machine.create("main-hello").well()

    assert machine.installed() == {"main-hello"}
    shown = machine.conda("config", "--show", "channels", "--json").well().json["channels"]
    assert shown == ([near, "defaults"] if condarc else ["defaults"])


def test_added_channel_precedes_the_channels_of_the_user(machine: Machine) -> None:
    machine.condarc("channels: [conda-forge]\n")
    private = machine.sandbox.url_of("acme", "main")
    machine.install("acme", "--add-channel", private)

    shown = machine.conda("config", "--show", "channels", "--json").well().json["channels"]

    assert shown == [private, "conda-forge"]


def _arguments(machine: Machine, way: Callable[[Machine], tuple[str, ...]]) -> tuple[str, ...]:
    arguments = way(machine)
    return arguments if way is by_package else (*arguments, *PACKAGES)


def _only(machine: Machine, part: str, *, sent: str) -> None:
    seen = {one.authorization for one in machine.sandbox.requests if part in one.path}
    assert seen == {sent}


def _configuration(machine: Machine) -> str:
    ran: Ran = machine.conda("config", "--show-sources").well()
    return ran.said
