"""The pages that a login with the browser ends with, in Chromium, if it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import zlib
from time import monotonic, sleep
from typing import TYPE_CHECKING, NamedTuple

import pytest

from conda_token_plugin.errors.login import LoginIncomplete
from conda_token_plugin.sandbox.service.login import CLIENT_ID
from conda_token_plugin.service.login.flow import Login

if TYPE_CHECKING:
    from pathlib import Path

    from conda_token_plugin.sandbox import Sandbox

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
SIZE = (800, 500)
SECONDS = 60
DARK, LIGHT = "0", "1"
"""Values of Chromium's setting ``preferredColorScheme``."""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


class Shown(NamedTuple):
    """What the browser shows at the end of a login."""

    text: str
    console: str
    """The messages that the browser logged, such as what the page's policy forbids."""
    corner: tuple[int, ...]
    """The colour of the pixel at the top left: red, green, blue."""


class Chromium:
    """A browser without a window, which visits one address."""

    def __init__(self, folder: Path, *, scheme: str) -> None:
        self.picture = folder / "page.png"
        self._argv = [
            *(str(CHROMIUM), "--headless", "--disable-gpu", "--enable-logging=stderr"),
            *(f"--user-data-dir={folder / 'profile'}", "--window-size={},{}".format(*SIZE)),
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
            f"--blink-settings=preferredColorScheme={scheme}",
            *("--dump-dom", f"--screenshot={self.picture}"),
        ]

    def visit(self, address: str) -> None:
        self._process = subprocess.Popen(
            [*self._argv, address], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def shown(self) -> Shown:
        text, console = self._process.communicate(timeout=SECONDS)
        return Shown(text, console, first_pixel(self.picture.read_bytes()))


def first_pixel(png: bytes) -> tuple[int, ...]:
    """Return the first pixel; no filter of PNG changes it (PNG specification, section 9)."""
    data, at = b"", 8
    while at < len(png):
        length, kind = int.from_bytes(png[at : at + 4]), png[at + 4 : at + 8]
        data += png[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += 12 + length
    return tuple(zlib.decompress(data)[1:4])


@pytest.mark.parametrize("scheme", [DARK, LIGHT])
@pytest.mark.parametrize("user", ["ada", ""])
def test_page_at_the_end_of_a_login_shows_the_result_in_the_users_colour_scheme(
    sandbox: Sandbox, tmp_path: Path, user: str, scheme: str
) -> None:
    sandbox.login.seat_at_browser(user)
    login = Login(sandbox.service, client_id=CLIENT_ID, sleep=sleep, clock=monotonic)
    browser = Chromium(tmp_path, scheme=scheme)
    if user:
        login.by_browser(visit=browser.visit, wait=SECONDS)
    else:
        with pytest.raises(LoginIncomplete):
            login.by_browser(visit=browser.visit, wait=SECONDS)
    shown = browser.shown()
    assert f"<h1>{'✓ Login confirmed' if user else '✗ Login not confirmed'}</h1>" in shown.text
    assert "go back to the terminal" in shown.text
    assert "Content Security Policy" not in shown.console
    assert (max(shown.corner) < 64) is (scheme == DARK)
    assert (min(shown.corner) > 192) is (scheme == LIGHT)
