"""Sharded repodata: conda gets the shards in threads, by a session that it chose by the channel."""

from __future__ import annotations

from shutil import copytree
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.sandbox.repository.libraries import ZSTD, library
from conda_token_plugin.sandbox.repository.packages import build_channels
from conda_token_plugin.tokens.token import AuthScheme, TokenKind
from tests.end_to_end.conda.conftest import sandbox_on
from tests.end_to_end.conda.report import kind_of, summary
from tests.support.conda_version import conda_version, solver_missing
from tests.support.machine import Machine
from tests.support.stored_tokens import hold

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.end_to_end.conda.report import Table

pytestmark = pytest.mark.conda


@pytest.fixture
def sharded(tmp_path: Path, built_channels: Path) -> Iterator[Machine]:
    """A machine, and a channel whose shards lie beside their index, as conda-index writes them."""
    if solver_missing("rattler") or conda_version() < (26, 7):
        pytest.skip("no shards without conda 26.7 and conda-rattler-solver")
    packages = tmp_path / "packages"
    copytree(build_channels(built_channels), packages / "channels")
    for subdir in ("noarch", "linux-64"):
        _flatten(packages / "channels" / "acme" / "private" / subdir)
    with sandbox_on(packages) as sandbox:
        machine = Machine(tmp_path / "machine", sandbox)
        machine.variables["CONDA_SOLVER"] = "rattler"
        yield machine


@pytest.mark.parametrize("scheme", [AuthScheme.TOKEN, AuthScheme.PATH])
def test_token_for_one_channel_gets_its_shards(
    sharded: Machine, scheme: AuthScheme, table: Table
) -> None:
    channel = sharded.sandbox.url_of("acme", "private")
    token = hold(sharded, "acme", kind=TokenKind.SITE, scope=[channel], scheme=scheme)

    sharded.create(*sharded.only(channel), "acme-private").well()

    seen = [one for one in sharded.sandbox.requests if "/signed/" not in one.path]
    assert {one.status for one in seen} <= {200, 302}
    assert "shard" in {kind_of(one.path) for one in seen}
    for one in seen:
        in_path = one.path.startswith(f"/t/{token}/")
        assert (one.authorization, in_path) == (
            ("", True) if scheme is AuthScheme.PATH else (f"token {token}", False)
        )
    saw = summary(seen, names={token: "acme"})
    table.add(f"shards, by {scheme.value}", solver="rattler", channel="one alone", saw=saw)


def _flatten(subdir: Path) -> None:
    """Move the shards beside their index."""
    zstd, msgpack = library(ZSTD), library("msgpack")
    index = subdir / "repodata_shards.msgpack.zst"
    content = msgpack.unpackb(zstd.decompress(index.read_bytes()))
    content["info"]["shards_base_url"] = ""
    index.write_bytes(zstd.compress(msgpack.packb(content)))
    for shard in (subdir / "shards").iterdir():
        shard.rename(subdir / shard.name)
