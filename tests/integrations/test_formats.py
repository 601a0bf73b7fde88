"""Formats of credential files: ``put`` adds an entry and ``drop`` removes it, for any content."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conda_token_plugin.integrations.dotenv import Assignments
from conda_token_plugin.integrations.formats.credential_file import NotOurs
from conda_token_plugin.integrations.formats.json_text import JSONObject
from conda_token_plugin.integrations.target import Entry

BLANKS = st.text(" \t\n\r", max_size=3)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.text(string.ascii_uppercase + "_", min_size=1, max_size=8)


@st.composite
def objects(draw: st.DrawFn) -> str:
    """Draw a JSON object in any spelling and indentation."""
    held = draw(st.dictionaries(st.text(), VALUES, max_size=4))
    written = [
        f"{draw(BLANKS)}{json.dumps(key, ensure_ascii=draw(st.booleans()))}{draw(BLANKS)}:"
        f"{draw(BLANKS)}{json.dumps(value, indent=draw(st.sampled_from([None, 1, 4])))}"
        f"{draw(BLANKS)}"
        for key, value in held.items()
    ]
    inside = ",".join(written) if written else draw(BLANKS)
    return f"{draw(BLANKS)}{{{inside}}}{draw(BLANKS)}"


FORMAT = JSONObject(known=lambda _: True)


def entry(key: str, value: object) -> Entry:
    return Entry(key=key, value=json.dumps(value))


@given(text=objects(), key=st.text(), value=VALUES)
def test_put_sets_the_member_and_keeps_all_others(text: str, key: str, value: object) -> None:
    after = json.loads(FORMAT.put(text, entry(key, value)))

    assert after == json.loads(text) | {key: value}
    if key not in json.loads(text):
        assert list(after) == [*json.loads(text), key]


@given(text=objects(), key=st.text(), value=VALUES)
def test_drop_removes_the_member_and_keeps_all_others(text: str, key: str, value: object) -> None:
    after = FORMAT.drop(FORMAT.put(text, entry(key, value)), key)

    assert json.loads(after) == {name: one for name, one in json.loads(text).items() if name != key}


@pytest.mark.parametrize("indent", [None, 1, 4, "\t"])
def test_put_keeps_the_indentation_of_the_file(indent: int | str | None) -> None:
    text = json.dumps({"a": {"CondaToken": "x"}}, indent=indent)

    after = FORMAT.put(text, entry("b", 1))

    assert after == json.dumps({"a": {"CondaToken": "x"}, "b": 1}, indent=indent or 2) + "\n"


@given(text=st.text() | objects().map(lambda text: text[:-2]))
def test_any_text_is_read_as_an_object_or_raises_a_documented_error(text: str) -> None:
    try:
        FORMAT.entries(text)
    except (ValueError, NotOurs):
        return
    assert isinstance(json.loads(text), dict)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "line 1: Expecting value"),
        ('{"a": {}\n"b"', "line 2"),
        ("[]", "not a JSON object"),
        ('{"a": {}, "a": {}}', "the same key twice"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": {"b": 1e400}}', "not valid JSON"),
        ('{"a": {"b": NaN}}', "not valid JSON"),
        ('{"a": {"b": 1, "b": 2}}', "the same key twice"),
        ('{"a": {}} // comment', "line 1: Extra data"),
    ],
)
def test_text_that_is_not_an_object_is_refused_with_its_fault(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        FORMAT.entries(text)


@st.composite
def settings(draw: st.DrawFn) -> str:
    """Draw the lines of a ``.env`` file, with any line ends."""
    end = draw(st.sampled_from(["\n", "\r\n"]))
    lines = st.one_of(
        st.builds("{}={}".format, NAMES, st.text("ab c'\"$#=", max_size=6)),
        st.builds("export  {} = {}".format, NAMES, NAMES),
        st.sampled_from(["", "# a comment", "   ", "garbage"]),
    )
    return end.join(draw(st.lists(lines, max_size=5))) + draw(st.sampled_from(["", end]))


@given(text=settings(), key=NAMES, value=st.text(string.ascii_letters + "#$=", min_size=1))
def test_dropped_assignment_leaves_the_text_of_before(text: str, key: str, value: str) -> None:
    lines = Assignments()
    known = {entry.key for entry in lines.entries(text)}
    after = lines.put(text, Entry(key=key, value=value))
    assert Entry(key=key, value=value) in lines.entries(after)
    assert {entry.key for entry in lines.entries(after)} == known | {key}
    if key not in known:
        assert lines.drop(after, key) == text


@given(text=settings(), key=NAMES)
def test_second_put_changes_only_the_line_of_its_key(text: str, key: str) -> None:
    lines = Assignments()
    once = lines.put(text, Entry(key=key, value="one"))
    twice = lines.put(once, Entry(key=key, value="two"))
    assert twice == once.replace(f"{key}=one", f"{key}=two", 1)
