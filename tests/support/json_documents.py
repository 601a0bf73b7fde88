"""Every document that a command prints with `--json` is validated against its schema."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

from conda_token_plugin.cli.parser import expanded
from conda_token_plugin.cli.registry import VERBS

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_DOCUMENT = {"run", "helper"}
"""Commands without a document: the output is that of another program, or of a protocol."""
HELP = {"-h", "--help", "-V", "--version", "help"}
"""Words after which a command prints text, also with `--json`."""
NAMES = {name: verb.name for verb in VERBS for name in (verb.name, *verb.aliases)}


def has_offset(value: object) -> bool:
    """Return whether a value, if it is a string, is a date and time with an offset."""
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


FORMATS = FormatChecker(formats=())
FORMATS.checks("date-time", raises=ValueError)(has_offset)


@cache
def schemas() -> dict[str, dict[str, Any]]:
    """Return the schemas as the package ships them, by the names of their files."""
    folder = files("conda_token_plugin") / "schemas"
    return {
        file.name.removesuffix(".json"): json.loads(file.read_text("utf-8"))
        for file in folder.iterdir()
        if file.name.endswith(".json")
    }


def strict(schema: Any) -> Any:
    """Return the schema without permission for fields that it does not describe.

    The shipped schemas permit them, so that the documents of a later version are valid. A test
    must not: a field that the schema does not describe has to be added to it.
    """
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: strict(part) for name, part in schema.items() if name != "additionalProperties"}
    return plain if plain == schema else {**plain, "unevaluatedProperties": False}


@cache
def validator(name: str) -> Draft202012Validator:
    """Return the strict validator for the schema of this name."""
    known = {one: strict(schema) for one, schema in schemas().items()}
    registry = Registry().with_resources(
        (schema["$id"], Resource.from_contents(schema)) for schema in known.values()
    )
    return Draft202012Validator(known[name], registry=registry, format_checker=FORMATS)


def validate(words: Sequence[str], *, out: str) -> str | None:
    """Validate the output of a command, if it is a document.

    Args:
        words: What was typed after the name of the program.
        out: What the command printed on stdout.

    Returns:
        The name of the schema, or `None` if the output is not a document.

    Raises:
        ValidationError: The document does not have the form that its schema describes.
    """
    flags = words[: list(words).index("--")] if "--" in words else words
    verb = NAMES.get(expanded(flags)[0])
    if "--json" not in flags or HELP & set(flags) or not out:
        return None
    if verb in NO_DOCUMENT and not out.startswith('{\n  "error"'):
        return None
    document = json.loads(out)
    is_error = isinstance(document, dict) and document.keys() == {"error"}
    name = "error" if is_error or verb is None else verb
    validator(name).validate(document)
    return name
