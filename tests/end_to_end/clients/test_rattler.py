"""py-rattler, the real one, finds what was exported."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.machine import Ran
    from tests.support.person import Person

CHILD = str(Path(__file__).with_name("rattler_child.py"))

pytestmark = pytest.mark.skipif(find_spec("rattler") is None, reason="py-rattler is not installed")


def installs(person: Person, *channels: str, packages: str, folder: str = "a", **env: str) -> Ran:
    place = str(person.machine.folder / folder)
    return person.machine.python(CHILD, " ".join(channels), packages, place, **env)


def urls(person: Person, organization: str) -> list[str]:
    return [person.machine.sandbox.url_of(organization, name) for name in ("main", "private")]


def test_it_solves_and_installs_from_protected_channels(person: Person) -> None:
    value = person.has("acme")
    refused = installs(person, *urls(person, "acme"), packages="acme-tools").badly()
    assert "403" in refused.out
    person.types("export", "rattler").well()
    done = installs(
        person, *urls(person, "acme"), packages="acme-tools acme-private", folder="b"
    ).well()
    assert done.out.split() == ["acme-hello", "acme-private", "acme-tools"]
    assert (person.machine.folder / "b" / "env" / "bin" / "acme-tools").exists()
    seen = [one for one in person.machine.sandbox.requests if one.status == 200]
    assert {one.path.startswith(f"/t/{value}/repo/acme/") for one in seen} == {True, False}
    outside = [one for one in seen if not one.path.startswith("/t/")]
    assert all(one.path.startswith("/signed/") for one in outside)
    assert not any(one.authorization for one in outside)


def test_after_the_take_back_it_is_refused_again(person: Person) -> None:
    person.has("acme")
    person.types("export", "rattler").well()
    person.types("export", "rattler", "--remove").well()
    installs(person, *urls(person, "acme"), packages="acme-tools").badly()


def test_what_it_leaves_on_disk_holds_no_token(person: Person) -> None:
    value = person.has("acme")
    person.types("export", "rattler").well()
    installs(person, *urls(person, "acme"), packages="acme-tools acme-private").well()
    written = [path for path in person.machine.files() if "/a/" in str(path)]
    assert len(written) > 5
    assert not [path for path in written if value.encode() in path.read_bytes()]


def test_two_organizations_at_once_need_two_hosts(person: Person) -> None:
    """rattler knows hosts only; here the same server has two names."""
    person.has("acme")
    person.types("export", "rattler").well()
    elsewhere = person.machine.sandbox.repo.replace("127.0.0.1", "localhost")
    supplied = {
        "ANACONDA_REPO_TOKEN_GLOBEX": person.machine.sandbox.world.issue("globex", "ada").value,
        "CONDA_TOKEN_REPO_URL": elsewhere,
    }
    person.types("export", "rattler", "--org", "globex", **supplied).well()
    done = installs(
        person,
        person.machine.sandbox.url_of("acme", "main"),
        f"{elsewhere}globex/main",
        packages="acme-tools globex-tools",
    ).well()
    assert done.out.split() == ["acme-hello", "acme-tools", "globex-hello", "globex-tools"]


def test_it_reads_a_file_that_a_variable_names(person: Person) -> None:
    person.has("acme")
    named = {"RATTLER_AUTH_FILE": str(person.machine.folder / "auth.json")}
    person.types("export", "rattler", **named).well()
    installs(person, *urls(person, "acme"), packages="acme-tools", **named).well()
    installs(person, *urls(person, "acme"), packages="acme-tools", folder="b").badly()


def test_it_still_reads_the_entries_that_others_made(person: Person) -> None:
    person.has("acme")
    path = person.home / ".rattler" / "credentials.json"
    path.parent.mkdir()
    path.write_text(
        '{\n  "prefix.dev": {"BearerToken": "x"},\n  "*.b.example": {"CondaToken":"y"}}'
    )
    person.types("export", "rattler").well()
    installs(person, *urls(person, "acme"), packages="acme-tools").well()
