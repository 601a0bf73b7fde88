"""No command prints, logs or writes a piece of a secret, whether it succeeds or fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.cli.registry import VERBS
from tests.leaks.scenes import SCENES, TYPED

if TYPE_CHECKING:
    from tests.leaks.scenes import Scene
    from tests.leaks.session import Session

PLAYED = [
    pytest.param(verb, scene, flags, id=" ".join([verb, scene.__name__, *flags]))
    for verb, scenes in SCENES.items()
    for scene in scenes
    for flags in ((), ("--json",))
    if flags or verb != "demo"  # it takes seconds, and says the same
]


def test_every_verb_has_a_scene() -> None:
    assert SCENES.keys() == {verb.name for verb in VERBS}
    assert TYPED.keys() == SCENES.keys() - {"demo"}


def test_search_finds_a_secret_in_every_place(session: Session) -> None:
    token = session.shell.sandbox.world.current("acme", "ada")
    assert token is not None
    sought = session.sought
    for value in (
        token.value,
        session.shell.sandbox.world.api_key("grace"),
        *session.secrets.values(),
    ):
        assert sought.found_in(b"\0" + value[9:17].encode() + b"\0")
        assert not sought.found_in(value[9:16].encode())
    stored = b"".join(
        path.read_bytes() for path in (session.settings.store_folder / "secrets").iterdir()
    )
    assert {"path.example", "basic.example", "bearer.example"} < sought.found_in(stored)


@pytest.mark.parametrize(("verb", "scene", "flags"), PLAYED)
def test_command_prints_logs_and_writes_no_secret(
    session: Session, verb: str, scene: Scene, flags: tuple[str, ...]
) -> None:
    found, codes = [], set()
    for words in scene(session):
        ran, leaks = session.run(verb, *flags, *words)
        codes.add(ran.code)
        found += [f"{leak} by {verb} {' '.join(words)[:40]}" for leak in leaks]
    assert not found
    assert codes & {0, 1}, "something has to work for the search to mean anything"
