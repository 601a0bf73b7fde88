"""Find tokens in a text: the values that are known, and URLs that contain a credential. Pure.

| rule           | what it finds                                                                |
|----------------|------------------------------------------------------------------------------|
| stored-token   | the exact value of a token or API key that is stored or supplied here        |
| token-in-url   | ``https://host/t/<token>/…``, and ``t/<token>/…`` as the name of a channel    |
| login-in-url   | ``https://user:password@host/…``, also without ``https://``                  |

Placeholders (``<TOKEN>``, ``$TOKEN``, ``*****``) are not reported. Other secrets are left to
scanners made for them, such as gitleaks and detect-secrets. The work grows linearly with the text.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from conda_token_plugin.tokens.url_credentials import url_credentials

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MIN_LENGTH = 8
"""Characters. A shorter stored value would match by chance."""
LOGIN_IN_URL = "login-in-url"
RULES = {
    "stored-token": "A token or API key of this machine's store",
    "token-in-url": "A token in the path of a URL",
    LOGIN_IN_URL: "A user's password in a URL",
}


class Known(dict[str, str]):
    """Values with their owners. Its `repr`, which a traceback may show, contains none of them."""

    def __repr__(self) -> str:
        """Return the number of values."""
        return f"<{len(self)} known values>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A value in a text.

    Attributes:
        start: Where it begins; in a URL, where the URL begins.
        end: Where it, or the URL, ends.
        clean: The URL without the credential, or None outside of URLs.
    """

    rule: str
    start: int
    end: int
    value: str = field(repr=False)
    clean: str | None = None


def hits(text: str, *, known: Iterable[str], limit: int | None = None) -> list[Hit]:
    """Return every value in ``text``, by position and without overlaps.

    Args:
        text: The text.
        known: The values that are stored or supplied on this machine.
        limit: The number of values to find, so that their memory is bounded. None: all.
    """
    values = {value for value in known if len(value) >= MIN_LENGTH}
    found = list(islice(_in_urls(text, known=values), limit))
    for hit in islice(_known(text, values), limit):
        if len(found) == limit:
            break
        at = bisect_left(found, hit.start, key=_start)
        after_the_last = at == 0 or found[at - 1].end <= hit.start
        if after_the_last and (at == len(found) or hit.end <= found[at].start):
            found.insert(at, hit)
    return found


def _start(hit: Hit) -> int:
    return hit.start


def _in_urls(text: str, *, known: set[str]) -> Iterator[Hit]:
    for one in url_credentials(text):
        rule = LOGIN_IN_URL if one.username else "token-in-url"
        yield Hit(
            rule="stored-token" if one.value in known else rule,
            start=one.start,
            end=one.end,
            value=one.value,
            clean=one.clean,
        )


def _known(text: str, values: Iterable[str]) -> Iterator[Hit]:
    for value in sorted(values):
        at = text.find(value)
        while at != -1:
            yield Hit(rule="stored-token", start=at, end=at + len(value), value=value)
            at = text.find(value, at + len(value))
