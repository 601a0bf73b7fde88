"""Kinds of URL and configuration under which conda asks for something.

In URLs and files ``AT`` stands for where the channel lies; ``OTHERAT`` is that by the host's other
name, ``USERAT``, ``ANNAT`` and ``TOKENAT`` are it with credentials; ``NAME`` is its path,
and ``MARK`` a word by which the server's records tell one kind from another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers import RecordingServer

Kind = dict[str, Any]
PLAIN = "AT/noarch/repodata.json"
NETRC = {".netrc": "machine 127.0.0.1 login ann password of-netrc\n"}


def kinds(wire: RecordingServer, proxy: RecordingServer, asking: RecordingServer) -> Iterator[Kind]:
    """Every kind."""
    yield from addresses(wire)
    yield from credentials(wire)
    yield from handlers(wire)
    yield from channels(wire)
    yield from proxies(proxy, asking)
    yield from answers()


def addresses(wire: RecordingServer) -> Iterator[Kind]:
    """What is asked for, and how it is written."""
    yield _kind("nothing configured")
    yield _kind("a package", "AT/noarch/tool-1.0-0.conda", "AT/linux-64/tool-1.0-0.tar.bz2")
    yield _kind("HEAD", method="HEAD")
    yield _kind("a query", f"{PLAIN}?mirror=a/b&x=%2F")
    yield _kind("a fragment", f"{PLAIN}#sha256:00")
    yield _kind("an escape", "AT/label%20x/noarch/repodata.json")
    yield _kind("an escaped slash", "AT%2Fnoarch/repodata.json")
    yield _kind("a dot segment", "AT/noarch/../noarch/repodata.json")
    yield _kind("a double slash", "AT//noarch/repodata.json")
    yield _kind("the other name of the host, in capitals", "OTHERAT/noarch/repodata.json")
    yield _kind("a local channel", "file:///nowhere/noarch/repodata.json")
    yield _kind("a bare host", f"{wire.url}/?x=MARK", f"{wire.url}?x=MARK")


def credentials(wire: RecordingServer) -> Iterator[Kind]:
    """netrc, binstar files, and what the URL itself carries."""
    with_user, with_token = PLAIN.replace("AT", "USERAT"), PLAIN.replace("AT", "TOKENAT")
    host, away = wire.url, wire.other_url
    yield _kind("netrc", files=NETRC)
    yield _kind("netrc with a port", files=_netrc(host.partition("://")[2]))
    yield _kind("netrc of another host", files=_netrc("localhost"))
    yield _kind("netrc for all", files={".netrc": "default login ann password of-netrc\n"})
    named = {"mine.netrc": NETRC[".netrc"]}
    yield _kind("a netrc by NETRC", files=named, settings={"NETRC": "~/mine.netrc"})
    yield _kind("user and password", with_user)
    yield _kind("a user without a password", PLAIN.replace("AT", "ANNAT"))
    yield _kind("user, password and netrc", with_user, files=NETRC)
    yield _kind("a token in the URL", with_token)
    yield _kind("a token in the URL, and netrc", with_token, files=NETRC)
    yield _kind("binstar", files=_binstar(host))
    yield _kind("binstar of another host", files=_binstar(away))
    yield _kind("binstar and netrc", files=_binstar(host) | NETRC)
    yield _kind("binstar, not wanted", files=_binstar(host) | _rc("add_anaconda_token: false"))


def handlers(wire: RecordingServer) -> Iterator[Kind]:
    """Entries of ``channel_settings`` that name somebody else's handler, or none."""
    glob, exact = f'channel: "{wire.url}/*"', 'channel: "AT"'
    yield _kind("a handler by glob", files=_settings(f"{glob}, auth: theirs"))
    yield _kind("a handler by the exact name", files=_settings(f"{exact}, auth: theirs"))
    yield _kind("a handler for all of https", files=_settings('channel: "https://*", auth: theirs'))
    yield _kind("a handler and netrc", files=_settings(f"{exact}, auth: theirs") | NETRC)
    noted = _settings(f"{glob}, auth: theirs, note: mine")
    yield _kind("a handler with a setting of its own", files=noted)
    yield _kind("an unknown handler", files=_settings(f"{glob}, auth: nobody"))
    taken_back = _settings(f"{glob}, auth: theirs", f"{glob}, note: none")
    yield _kind("a handler, taken back by the last entry", files=taken_back)
    two = _settings(f"{glob}, auth: nobody", 'channel: "AT/*", auth: theirs')
    yield _kind("two handlers", files=two)
    yield _kind("a handler that is written oddly", files=_settings(f'{exact}, auth: " theirs "'))
    yield _kind("a handler in capitals", files=_settings(f"{exact}, auth: THEIRS"))
    yield _kind("a handler that is null", files=_settings(f"{exact}, auth: null"))
    yield _kind("a handler for no channel", files=_settings("auth: theirs"))
    yield _kind("a handler for a star", files=_settings('channel: "*", auth: theirs'))
    below = f"channel_alias: {wire.url}\nchannel_settings: [{{channel: NAME, auth: theirs}}]\n"
    yield _kind("a handler by the name below the alias", files={".condarc": below})
    of_defaults = "default_channels: [AT]\nchannel_settings: [{channel: defaults, auth: theirs}]\n"
    yield _kind("a handler of defaults", files={".condarc": of_defaults})


def channels(wire: RecordingServer) -> Iterator[Kind]:
    """Where the channel's name comes from."""
    yield _kind("below the alias", files=_rc(f"channel_alias: {wire.url}"))
    yield _kind("one of custom_channels", files=_rc("custom_channels:", f"  NAME: {wire.url}"))
    yield _kind("one of a multichannel", files=_rc("custom_multichannels:", "  all: [AT]"))
    yield _kind("one of default_channels", files=_rc("default_channels: [AT]"))


def proxies(proxy: RecordingServer, asking: RecordingServer) -> Iterator[Kind]:
    """Proxies of the configuration and of the environment."""
    known = proxy.url.replace("//", "//ann:of-the-proxy@")
    variables = {"http_proxy": proxy.url}
    yield _kind("a proxy", files=_rc(f"proxy_servers: {{http: '{proxy.url}'}}"))
    yield _kind("a proxy with a password", files=_rc(f"proxy_servers: {{http: '{known}'}}"))
    yield _kind("a proxy that asks", files=_rc(f"proxy_servers: {{http: '{asking.url}'}}"))
    here = _rc(f"proxy_servers: {{'http://127.0.0.1': '{asking.url}'}}")
    yield _kind("a proxy for this host that asks, and netrc", files=here | NETRC)
    yield _kind("a proxy for all", files=_rc(f"proxy_servers: {{all: '{proxy.url}'}}"))
    yield _kind("a proxy of the environment", settings=variables)
    yield _kind("no proxy for this host", settings=variables | {"no_proxy": "127.0.0.1"})


def answers() -> Iterator[Kind]:
    """Redirects, refusals, and no network at all."""
    away = "AT/moved-away/repodata.json"
    yield _kind("moved on the same host", "AT/moved-here/repodata.json")
    yield _kind("moved away", away)
    yield _kind("moved away, with netrc for there", away, files=_netrc("localhost"))
    yield _kind("moved away, with netrc for here", away, files=NETRC)
    for status in (401, 403, 404, 407):
        yield _kind(f"answered {status}", f"AT/answer-{status}/repodata.json")
    yield _kind("offline", files=_rc("offline: true"))
    yield _kind("no retries", files=_rc("remote_max_retries: 0", "remote_read_timeout_secs: 5.0"))


def _kind(name: str, *urls: str, files: dict[str, str] | None = None, **more: Any) -> Kind:
    return {"name": name, "urls": list(urls) or [PLAIN], "files": files or {}, **more}


def _rc(*lines: str) -> dict[str, str]:
    return {".condarc": "\n".join(lines) + "\n"}


def _settings(*entries: str) -> dict[str, str]:
    return _rc("channel_settings:", *(f"  - {{{entry}}}" for entry in entries))


def _netrc(host: str) -> dict[str, str]:
    return {".netrc": f"machine {host} login ann password of-netrc\n"}


def _binstar(prefix: str) -> dict[str, str]:
    name = prefix.replace(":", "%3A").replace("/", "%2F")
    return {f".config/binstar/{name}.token": "of-binstar"}
