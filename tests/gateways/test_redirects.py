"""The token's scope is judged anew at each redirect, for headers and for tokens in the path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from requests import PreparedRequest, Response, Session
from requests.structures import CaseInsensitiveDict

from conda_token_plugin.gateways.http.client import Http
from conda_token_plugin.gateways.http.redirects import joined, keep_in_scope, scope_hook
from conda_token_plugin.tokens.scope import longest_prefix
from conda_token_plugin.tokens.secret import HeaderValue

if TYPE_CHECKING:
    from conda_token_plugin.sandbox import Sandbox

TOKEN = "tokentokentoken"
HEADER = HeaderValue(f"token {TOKEN}")


def paths(sandbox: Sandbox) -> list[tuple[str, bool]]:
    """Return the path of each request, and whether it had the header."""
    return [(request.path, bool(request.authorization)) for request in sandbox.requests]


def redirect(sandbox: Sandbox, path: str, to: str) -> None:
    sandbox.fail_next(path, status=302, headers=(("Location", to),))


def follow(sandbox: Sandbox, path: str, *, header: bool) -> None:
    Http().send(
        "GET",
        f"{sandbox.service}{path}",
        authorization=HEADER if header else None,
        follow=True,
        within=(f"{sandbox.service}/get/priv",),
    )


@pytest.mark.parametrize(
    ("location", "kept"),
    [
        ("/get/priv/b", True),
        ("/get/private/b", False),
        ("/evil", False),
        ("../evil", False),
        ("/get/priv/%2e%2e/evil", False),
    ],
)
def test_redirect_keeps_the_header_inside_the_scope_only(
    sandbox: Sandbox,
    location: str,
    kept: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    redirect(sandbox, "/get/priv/a", location)
    follow(sandbox, "/get/priv/a", header=True)
    assert [sent for _, sent in paths(sandbox)] == [True, kept]


def repeated_after_407(refusal: Response, **options: Any) -> Response:
    """Repeat the request as conda does for a proxy that asks for a password."""
    if refusal.status_code != 407:
        return refusal
    refusal.content  # noqa: B018  # reads the rest, so that the connection can be used again
    response: Response = refusal.connection.send(refusal.request.copy(), **options)
    response.history.append(refusal)
    return response


def test_header_of_a_request_that_was_repeated_after_407_does_not_leave_the_scope(
    sandbox: Sandbox,
) -> None:
    sandbox.fail_next("/get/priv/a", status=407)
    redirect(sandbox, "/get/priv/a", "/evil")
    with Session() as session:
        session.trust_env = False
        session.get(
            f"{sandbox.service}/get/priv/a",
            headers={"Authorization": HEADER},
            hooks={"response": [repeated_after_407, scope_hook((f"{sandbox.service}/get/priv",))]},
        )
    assert [sent for _, sent in paths(sandbox)] == [True, True, False]


@pytest.mark.parametrize(
    ("location", "arrives"),
    [
        (f"/t/{TOKEN}/evil/b", "/evil/b"),
        ("../../evil/b", "/evil/b"),
        (f"/t/%74{TOKEN[1:]}/evil/b", "/evil/b"),
        ("/evil/b", "/evil/b"),
        (f"/t/{TOKEN}/evil/t/{TOKEN}", "/evil"),
        ("/t/other/evil/b", "/t/other/evil/b"),
        (f"/evil/x/{TOKEN}", "/evil/x/"),
        (f"/%74/{TOKEN}/evil/b", "/evil/b"),
        (f"/t//{TOKEN}/evil/b", "/evil/b"),
        (f"/t/{TOKEN}/t/{TOKEN}/evil/b", "/evil/b"),
        (f"/login?next=%2Ft%2F{TOKEN}%2Fget", "/login?next=%2Fget"),
        (f"/login?next=%252Ft%252F%2574{TOKEN[1:]}%252Fget", "/login?next=%252Fget"),
        (f"/t/{TOKEN}/get/priv/b", f"/t/{TOKEN}/get/priv/b"),
        ("/get/priv/b", f"/t/{TOKEN}/get/priv/b"),
        ("b", f"/t/{TOKEN}/get/priv/b"),
    ],
)
def test_redirect_keeps_the_token_in_the_path_inside_the_scope_only(
    sandbox: Sandbox, location: str, arrives: str
) -> None:
    redirect(sandbox, "/get/priv/a", location)
    follow(sandbox, f"/t/{TOKEN}/get/priv/a", header=False)
    assert paths(sandbox)[1] == (arrives, False)


def test_each_of_several_redirects_is_checked_against_the_scope(sandbox: Sandbox) -> None:
    redirect(sandbox, "/get/priv/a", "/get/priv/b")
    redirect(sandbox, "/get/priv/b", "/evil")
    redirect(sandbox, "/evil", "/get/priv/c")
    follow(sandbox, "/get/priv/a", header=True)
    assert [sent for _, sent in paths(sandbox)] == [True, True, False, False]


def test_redirect_to_another_host_removes_the_token_in_the_path(sandbox: Sandbox) -> None:
    other = sandbox.service.replace("127.0.0.1", "localhost")
    redirect(sandbox, "/get/priv/a", f"{other}/t/{TOKEN}/get/priv/b")
    follow(sandbox, f"/t/{TOKEN}/get/priv/a", header=False)
    assert paths(sandbox)[1] == ("/get/priv/b", False)


@pytest.mark.parametrize(
    ("location", "arrives"),
    [
        (f"/get/t/{TOKEN}/evil/b", "/get/evil/b"),
        (f"/evil/t/{TOKEN}/b", "/evil/b"),
        ("../evil/b", "/get/evil/b"),
        ("/evil/b", "/evil/b"),
        (f"/get/t/{TOKEN}/priv/b", f"/get/t/{TOKEN}/priv/b"),
        ("/get/priv/b", f"/get/t/{TOKEN}/priv/b"),
        ("b", f"/get/t/{TOKEN}/priv/b"),
    ],
)
def test_redirect_keeps_the_token_in_the_middle_of_the_path_inside_the_scope_only(
    sandbox: Sandbox, location: str, arrives: str
) -> None:
    asked = f"/get/t/{TOKEN}/priv/a"
    redirect(sandbox, asked, location)
    follow(sandbox, asked, header=False)
    assert paths(sandbox) == [(asked, False), (arrives, False)]


def answer(url: str, location: str) -> Response:
    """Return a redirect of a request with a header, as requests gives it to a hook."""
    request = PreparedRequest()
    request.prepare_url(url, None)
    request.headers = CaseInsensitiveDict({"Authorization": "token x"})
    made = Response()
    made.status_code, made.url, made.request = 302, url, request
    made.headers["Location"] = location
    return made


def test_target_that_cannot_be_read_covers_nothing() -> None:
    redirect = answer("https://h.example/a", "https://[::1/x")

    target = joined(redirect.url, redirect.headers["Location"])
    assert target == "about:invalid"
    assert longest_prefix(target, among={"https://h.example"}) is None


@pytest.mark.parametrize("location", ["/get/priv/b", "/evil"])
def test_hook_returns_the_response(location: str) -> None:
    redirect = answer("https://h.example/get/priv/a", location)

    assert scope_hook({"https://h.example/get/priv"})(redirect) is redirect
    kept = "Authorization" in redirect.request.headers
    assert kept == (location != "/evil")


@pytest.mark.parametrize(
    ("url", "location", "arrives"),
    [
        ("/t/tok/a/x", "/a/y", "https://h.example/t/tok/a/y"),
        ("/api/t/tok/a/x", "/api/a/y", "https://h.example/api/t/tok/a/y"),
        ("/api/t/tok/a/x", "/a/y", "https://h.example/t/tok/a/y"),
        ("/a/x", "/a/y", "/a/y"),
    ],
)
def test_token_is_put_where_the_path_had_it(url: str, location: str, arrives: str) -> None:
    redirect = answer(f"https://h.example{url}", location)

    keep_in_scope(redirect, covers=lambda _url: True)

    assert redirect.headers["Location"] == arrives
