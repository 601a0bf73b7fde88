"""Strategies: valid documents with a change, and random bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator

ODD_TEXTS = st.sampled_from(
    [
        *("", " ", "\0", "\n", "\r\n", "\ud800", "\u200b", "\u2028", "é", "💥", "%", "%zz", "%00"),
        *("..", ".", "/", "//", "~", "~nobody/x", "<TOKEN>", "a" * 300, "9" * 400, "-1", "1e999"),
        *("https://[", "https://[::1", "https://h:99999/x", "https://a..b/", "//h", "http://h/x"),
        *(f"https://{'a' * 64}.example/x", "https://xn--/x", "https://\u2100/x", "javascript:x"),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2030-02-30", "20300101"),
        *("!!python/object:os.system", "&a [*a]", "{{ x }}", "[" * 5_000, '{"a":' * 5_000),
    ]
)
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | ODD_TEXTS
    | st.text(max_size=10)
    | st.just(10**400),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the paths of all parts of a JSON value, also of the value itself."""
    yield path
    if isinstance(value, list):
        value = dict(enumerate(value))
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield from places(inner, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], part: Any) -> Any:
    """Return ``value`` with ``part`` at ``path``."""
    if not path:
        return part
    first, *rest = path
    if isinstance(value, dict):
        return {**value, first: replaced(value[first], tuple(rest), part)}
    return [
        replaced(inner, tuple(rest), part) if number == first else inner
        for number, inner in enumerate(value)
    ]


@st.composite
def mutated_json(draw: st.DrawFn, text: bytes) -> bytes:
    """Draw a JSON document with one or two of its parts replaced."""
    value = json.loads(text)
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from(list(places(value))))
        value = replaced(value, path, draw(ANYTHING))
    return json.dumps(value).encode("utf-8", "surrogatepass")


@st.composite
def mutated_bytes(draw: st.DrawFn, data: bytes) -> bytes:
    """Draw ``data`` with a part of it removed, doubled or replaced."""
    start, end = sorted(draw(st.tuples(*[st.integers(0, len(data))] * 2)))
    odd = ODD_TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass"))
    piece = draw(st.binary(max_size=4) | odd | st.just(data[start:end] * 2))
    return data[:start] + piece + data[end:]


def mutated(sample: bytes) -> st.SearchStrategy[bytes]:
    """Return a strategy for changes of ``sample``. A first byte below 32 is kept."""
    lead, body = (sample[:1], sample[1:]) if sample[:1] < b" " else (b"", sample)
    ways = [mutated_bytes(body)]
    try:
        json.loads(body)
    except ValueError:  # it is not JSON
        pass
    else:
        ways.append(mutated_json(body))
    changed = st.one_of(*ways)
    return changed.map(lambda data: lead + data) | st.tuples(st.binary(max_size=1), changed).map(
        b"".join
    )


def inputs(samples: tuple[bytes, ...]) -> st.SearchStrategy[bytes]:
    """Return a strategy for the samples, changes of them, and random bytes."""
    return st.one_of(st.sampled_from(samples), *map(mutated, samples), st.binary(max_size=200))
