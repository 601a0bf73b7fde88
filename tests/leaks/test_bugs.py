"""A traceback of a bug shows no secret, even with all local variables."""

from __future__ import annotations

from traceback import TracebackException
from typing import TYPE_CHECKING

import pytest

from tests.leaks.broken import Bug, broken, place
from tests.leaks.scenes import TYPED

if TYPE_CHECKING:
    from tests.leaks.session import Session

PLACES = {
    # The function with the bug, and whether the bug is before or after its work.
    "requests.sessions:Session.send": "before",
    "conda_token_plugin.gateways.http.client:Http.send": "after",
    "conda_token_plugin.service.credentials:find_api_key": "after",
    "conda_token_plugin.service.client:Service.issue": "after",
    "conda_token_plugin.service.repository:ChannelProbe.channel": "before",
    "conda_token_plugin.service.login.flow:Login._api_key": "after",
    "conda_token_plugin.store.store:Store.secret": "after",
    "conda_token_plugin.store.store:Store.add": "before",
    "conda_token_plugin.store.store:Store.set_login": "before",
    "conda_token_plugin.store.store:Store.login": "after",
    "conda_token_plugin.settings:Settings.secret": "after",
    "conda_token_plugin.store.lookup:Lookup.find": "after",
    "conda_token_plugin.store.providers:output_of": "after",
    "conda_token_plugin.store.providers:ask": "after",
    "conda_token_plugin.integrations.conda.dropin:write": "before",
    "conda_token_plugin.operations.export_tokens:write_steps": "before",
    "conda_token_plugin.integrations.source:_merged": "after",
    "conda_token_plugin.cli.output:Printer._write": "before",
}


@pytest.mark.parametrize("name", PLACES)
def test_traceback_with_local_variables_shows_no_secret(session: Session, name: str) -> None:
    tracebacks = {verb: traceback(session, name, verb) for verb in TYPED}
    assert any(tracebacks.values()), "no command comes by that place"
    leaks = {verb: session.sought.found_in(text) for verb, text in tracebacks.items()}
    assert not any(leaks.values()), leaks


def traceback(session: Session, name: str, verb: str) -> bytes:
    """Return the traceback of the bug at ``name`` in ``verb``, or an empty string."""
    owner, last = place(name)
    words = [word.format(repo=session.shell.sandbox.repo) for word in TYPED[verb]]
    with session.monkeypatch.context() as patch:
        patch.setattr(owner, last, broken(getattr(owner, last), then=PLACES[name]))
        try:
            session.shell(verb, *words)
        except Bug as bug:
            return shown(bug)
    return b""


def shown(bug: Bug) -> bytes:
    """Return the traceback with all local variables, from ``main`` on."""
    trace = bug.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_name != "main":
        trace = trace.tb_next
    assert trace is not None
    lines = TracebackException(type(bug), bug, trace, capture_locals=True).format()
    return "".join(lines).encode()
