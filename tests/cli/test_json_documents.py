"""Every command prints a document that its schema describes, also when it fails."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.request import urlopen

import pytest
from jsonschema import Draft202012Validator, ValidationError

from conda_token_plugin.cli.commands import test as test_command
from conda_token_plugin.cli.registry import VERBS
from tests.support.json_documents import NO_DOCUMENT, schemas, strict, validate, validator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import Shell

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "json.md").read_text("utf-8")
PROGRAM = Path(__file__).parents[1] / "support" / "validate_document.py"
"""The program in the documentation."""
SHARED = {"error", "token"}
"""Schemas that belong to no command."""


class Example(NamedTuple):
    """Words for a command that print its document, and words that print an error."""

    succeeds: str
    fails: str


EXAMPLES = {
    "install": Example("install --org acme --reissue", "install --org nosuch --yes"),
    "remove": Example("remove acme", "remove nosuch"),
    "renew": Example("renew acme --reissue", "renew nosuch"),
    "set": Example("set --org acme --token-env GIVEN", "set --org acme --token-env UNSET"),
    "provider": Example(
        "provider add --scope https://repo.example/x -- true", "provider remove nosuch"
    ),
    "config": Example("config --org acme --dry-run", "config --org nosuch"),
    "list": Example("list", "list --at nosuch"),
    "which": Example("which acme/main", "which https://elsewhere.example/"),
    "audit": Example("audit", "audit no-such-file"),
    "status": Example("status", "status nosuch"),
    "sync": Example("sync", "sync nosuch"),
    "test": Example("test {repo}acme/main", "test not-a-url"),
    "login": Example("login --web", "login"),
    "logout": Example("logout", "logout --no-such-option"),
    "sites": Example("sites", "sites --at nosuch"),
    "whoami": Example("whoami", "whoami --at nosuch"),
    "export": Example("export rattler --yes", "export nosuch"),
    "import": Example("import --dry-run", "import nosuch"),
    "run": Example("", "run -- no-such-program"),
    "helper": Example("", "helper token not-a-url"),
    "completion": Example("completion bash", "completion"),
    "demo": Example("demo", "demo --no-such-option"),
}
"""For every command. A command that is missing here fails a test."""
DOCUMENTED = sorted(EXAMPLES.keys() - NO_DOCUMENT)


@pytest.fixture
def furnished(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Return a shell in which every command has something to do."""
    shell.install("acme")
    shell("export", "rattler", "--yes")
    given = shell.sandbox.world.current("acme")
    assert given is not None
    shell.set("GIVEN", given.value)
    (shell.home / "notes").write_text(f"{shell.sandbox.service}/t/{given.value}/repo/acme\n")
    shell.sandbox.login.seat_at_browser("ada")
    monkeypatch.setattr("webbrowser.open", _visited)
    monkeypatch.chdir(shell.home)
    # `test` sends its requests itself, also where conda is installed.
    monkeypatch.setattr(test_command, "find_spec", lambda _name: None)
    # The demonstration issues a token, which must not be one that is held already.
    here = {**shell.sandbox.introduction(), "organizations": ["globex"]}
    monkeypatch.setattr("conda_token_plugin.cli.demo_stage._sandbox", lambda: nullcontext(here))
    return shell


def _visited(address: str) -> bool:
    Thread(target=lambda: urlopen(address).read(), daemon=True).start()
    return True


def _run(shell: Shell, line: str) -> tuple[str | None, str]:
    """Run a command with `--json`; return the name of the schema and the output."""
    words = [word.format(repo=shell.sandbox.repo) for word in line.split()]
    end = words.index("--") if "--" in words else len(words)
    words = [*words[:end], "--json", *words[end:]]
    out = shell(*words).out
    return validate(words, out=out), out


def test_every_command_has_a_schema_and_an_example() -> None:
    names = {verb.name for verb in VERBS}
    assert EXAMPLES.keys() == names
    assert schemas().keys() - SHARED == names - NO_DOCUMENT


@pytest.mark.parametrize("verb", DOCUMENTED)
def test_document_of_a_command_matches_its_schema(furnished: Shell, verb: str) -> None:
    name, out = _run(furnished, EXAMPLES[verb].succeeds)
    assert name == verb, out
    assert json.loads(out) != [], "an empty list matches every schema of a list"


@pytest.mark.parametrize("verb", sorted(EXAMPLES))
def test_document_of_a_failed_command_matches_the_schema_of_errors(
    furnished: Shell, verb: str
) -> None:
    name, out = _run(furnished, EXAMPLES[verb].fails)
    assert name == "error", out


def test_document_of_an_unknown_command_matches_the_schema_of_errors(shell: Shell) -> None:
    assert _run(shell, "nosuch")[0] == "error"


def test_audit_with_sarif_matches_the_schema(furnished: Shell) -> None:
    name, out = _run(furnished, "audit --sarif")
    assert name == "audit"
    assert json.loads(out)["runs"][0]["results"]


@pytest.mark.parametrize("name", sorted(schemas()))
def test_schema_is_valid_and_named_after_its_file(name: str) -> None:
    schema = schemas()[name]
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"].endswith(f"/conda_token_plugin/schemas/{name}.json")


@pytest.mark.parametrize("name", sorted(schemas()))
def test_schema_describes_every_field(name: str) -> None:
    fields = list(_fields(schemas()[name]))
    undescribed = [k for k, part in fields if not ({"description", "$ref", "const"} & part.keys())]
    assert undescribed == []


@pytest.mark.parametrize("name", sorted(schemas().keys() - {"token"}))
def test_schema_says_whether_more_fields_may_follow(name: str) -> None:
    silent = [
        part
        for part in _parts(schemas()[name])
        if part.get("type") == "object" and part.get("additionalProperties") is not True
    ]
    # The runs of SARIF are described by another standard.
    assert silent in ([], [{"type": "object"}])


@pytest.mark.parametrize("missing", ["organization", "source", "state", "verified"])
def test_validator_refuses_a_document_without_a_required_field(
    furnished: Shell, missing: str
) -> None:
    (entry,) = furnished.held()
    del entry[missing]
    with pytest.raises(ValidationError, match=missing):
        validator("list").validate([entry])


def test_validator_refuses_a_field_that_the_schema_does_not_describe(furnished: Shell) -> None:
    (entry,) = furnished.held()
    entry["secret"] = "abc"
    with pytest.raises(ValidationError, match="secret"):
        validator("list").validate([entry])


def test_shipped_schema_permits_fields_of_a_later_version(furnished: Shell) -> None:
    error = furnished("list", "--at", "nosuch", "--json").json
    error["error"]["more"] = 1
    Draft202012Validator(schemas()["error"]).validate(error)
    assert strict(schemas()["error"]) != schemas()["error"]


@pytest.mark.parametrize("text", ["2026-01-01", "2026-01-01T00:00:00", "soon"])
def test_validator_refuses_a_time_without_offset(furnished: Shell, text: str) -> None:
    (entry,) = furnished.held()
    with pytest.raises(ValidationError):
        validator("list").validate([{**entry, "expires": text}])


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
    for part in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(part, dict | list):
            yield from _parts(part)


def _fields(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for part in _parts(schema):
        if isinstance(part.get("properties"), dict):
            yield from part["properties"].items()


def test_documentation_lists_every_schema_and_command() -> None:
    listed = re.findall(r"^\| `(\w+)` \| \[(\w+)\.json\]", PAGE, re.MULTILINE)
    assert sorted(listed) == [(name, name) for name in DOCUMENTED]
    assert {name for name in schemas() if f"schemas/{name}.json)" in PAGE} == schemas().keys()


def test_program_in_the_documentation_validates_a_document() -> None:
    program = PROGRAM.read_text("utf-8")
    exec(program, {})
    with pytest.raises(ValidationError):
        exec(program.replace('"NoToken"', '"no token"'), {})
