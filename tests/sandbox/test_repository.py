"""The repository over real HTTP: who gets what, and how."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from conda_token_plugin.sandbox import Sandbox

HELLO = "noarch/acme-hello-1.0-0.conda"
PRIVATE = "noarch/acme-private-1.0-0.conda"
INDEX = "noarch/repodata.json"


def get(
    sandbox: Sandbox, path: str, headers: dict[str, str] | None = None, *, follow: bool = True
) -> requests.Response:
    address = sandbox.repo + path
    return requests.get(address, headers=headers, allow_redirects=follow, timeout=10)


def token(value: str) -> dict[str, str]:
    return {"Authorization": f"token {value}"}


def bearer(sandbox: Sandbox, user: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {sandbox.world.api_key(user)}"}


@pytest.mark.parametrize(
    ("channel", "package", "statuses"),
    [
        ("acme/main", HELLO, (200, 200)),
        ("acme/private", PRIVATE, (200, 200)),
        ("acme/public-index", "noarch/acme-public-1.0-0.conda", (200, 200)),
        ("acme-evil/main", "noarch/acme-evil-hello-1.0-0.conda", (403, 403)),
        ("globex/main", "noarch/globex-hello-1.0-0.conda", (403, 403)),
        ("main", "noarch/main-hello-1.0-0.conda", (200, 200)),
        ("r", "noarch/r-hello-0.9-0.tar.bz2", (200, 200)),
        ("msys2", "noarch/msys2-hello-1.0-0.conda", (200, 200)),
        ("anaconda-tools", "noarch/anaconda-tools-hello-1.0-0.conda", (200, 200)),
        ("acme/nowhere", HELLO, (404, 404)),
        ("nowhere/main", HELLO, (404, 404)),
    ],
)
def test_token_opens_its_organization_and_shared_channels(
    sandbox: Sandbox, channel: str, package: str, statuses: tuple[int, int]
) -> None:
    header = token(sandbox.world.issue("acme", "ada").value)
    got = [get(sandbox, f"{channel}/{file}", header).status_code for file in (INDEX, package)]
    assert tuple(got) == statuses


@pytest.mark.parametrize(
    ("channel", "package", "statuses"),
    [
        ("acme/main", HELLO, (403, 403)),
        ("acme/private", PRIVATE, (403, 403)),
        ("acme/public-index", "noarch/acme-public-1.0-0.conda", (200, 403)),
        ("main", "noarch/main-hello-1.0-0.conda", (403, 403)),
        ("anaconda-tools", "noarch/anaconda-tools-hello-1.0-0.conda", (200, 200)),
    ],
)
def test_request_without_a_token_gets_public_files_only(
    sandbox: Sandbox, channel: str, package: str, statuses: tuple[int, int]
) -> None:
    got = [get(sandbox, f"{channel}/{file}") for file in (INDEX, package)]
    assert tuple(r.status_code for r in got) == statuses
    refused = [r.json()["error"]["code"] for r in got if r.status_code == 403]
    assert set(refused) <= {"token_missing"}


def test_refused_token_gets_a_code_for_the_reason(sandbox: Sandbox) -> None:
    world = sandbox.world
    values = {t.org: t.value for t in world.tokens if t.user}
    revoked = world.issue("acme", "ada").value
    world.issue("acme", "ada")
    tried = {
        "token_unknown": ("acme", "x" * 48),
        "token_revoked": ("acme", revoked),
        "token_expired": ("hooli", values["hooli"]),
        "token_cancelled": ("umbrella", values["umbrella"]),
        "wrong_organization": ("globex", values["initech"]),
    }
    for code, (org, value) in tried.items():
        answer = get(sandbox, f"{org}/main/{INDEX}", token(value))
        assert answer.json()["error"]["code"] == code
        assert answer.status_code == (403 if code == "wrong_organization" else 401)
        assert value not in answer.text


def test_token_in_its_grace_period_opens_its_channels(sandbox: Sandbox) -> None:
    mine = sandbox.world.current("initech", "carol")
    assert mine is not None
    assert get(sandbox, f"initech/main/{INDEX}", token(mine.value)).status_code == 200


def test_site_token_opens_its_organization_only(sandbox: Sandbox) -> None:
    site = sandbox.world.current("stark")
    assert site is not None
    assert get(sandbox, f"stark/main/{INDEX}", token(site.value)).status_code == 200
    assert get(sandbox, f"acme/main/{INDEX}", token(site.value)).status_code == 403


def test_token_in_the_path_is_accepted_unless_the_header_has_another(sandbox: Sandbox) -> None:
    value = sandbox.world.issue("acme", "ada").value
    address = f"{sandbox.service}/t/{value}/repo/acme/main/{HELLO}"
    assert requests.get(address, timeout=10).status_code == 200
    # The header counts, if there are both.
    assert requests.get(address, headers=token("x" * 48), timeout=10).status_code == 401


@pytest.mark.parametrize(
    ("user", "channel", "status"),
    [
        ("ada", "acme/main", 200),
        ("ada", "main", 200),
        ("bob", "acme/main", 403),
        ("bob", "main", 403),
        ("mallory", "acme/main", 403),
        ("carol", "initech/main", 200),
        ("dave", "hooli/main", 403),
        ("erin", "umbrella/main", 403),
    ],
)
def test_api_key_opens_organizations_in_which_its_user_has_a_seat(
    sandbox: Sandbox, user: str, channel: str, status: int
) -> None:
    answer = get(sandbox, f"{channel}/{INDEX}", bearer(sandbox, user))
    assert answer.status_code == status


def test_expired_api_key_and_token_as_bearer_are_refused(sandbox: Sandbox) -> None:
    header = bearer(sandbox, "ada")
    value = sandbox.world.issue("acme", "ada").value
    as_bearer = {"Authorization": f"Bearer {value}"}
    assert get(sandbox, f"acme/main/{INDEX}", as_bearer).status_code == 401
    sandbox.clock.advance(timedelta(days=366))
    assert get(sandbox, f"acme/main/{INDEX}", header).status_code == 401


@pytest.mark.parametrize(
    ("channel", "status", "code"),
    [
        ("acme/main", 403, "insufficient_scope"),
        ("main", 403, "insufficient_scope"),
        ("main-x", 403, "insufficient_scope"),
        ("anaconda-tools", 200, None),
    ],
)
def test_api_key_without_the_channel_scope_opens_public_channels_only(
    sandbox: Sandbox, channel: str, status: int, code: str | None
) -> None:
    key = sandbox.world.credentials.make_api_key(sandbox.world.user("ada"), ["cloud:read"])
    answer = get(sandbox, f"{channel}/{INDEX}", {"Authorization": f"Bearer {key.value}"})
    assert answer.status_code == status
    assert code is None or answer.json()["error"]["code"] == code


def test_main_x_accepts_an_api_key_and_refuses_a_token(sandbox: Sandbox) -> None:
    files = (INDEX, "noarch/main-x-hello-1.0-0.conda")
    value = sandbox.world.issue("acme", "ada").value
    for file in files:
        assert get(sandbox, f"main-x/{file}", bearer(sandbox, "ada")).status_code == 200
        for refused in (
            get(sandbox, f"main-x/{file}", token(value)),
            get(sandbox, f"main-x/{file}"),
        ):
            assert refused.status_code == 403
    in_path = f"{sandbox.service}/t/{value}/repo/main-x/{INDEX}"
    assert requests.get(in_path, timeout=10).json()["error"]["code"] == "api_key_required"


def test_second_site_accepts_no_credential_of_the_first(
    sandbox: Sandbox, other_site: Sandbox
) -> None:
    value = sandbox.world.issue("acme", "ada").value
    assert other_site.repo.startswith("http://localhost:")
    for header in (token(value), bearer(sandbox, "ada")):
        assert get(other_site, f"acme/main/{INDEX}", header).status_code == 401
    own = bearer(other_site, "ada")
    assert get(other_site, f"acme/main/{INDEX}", own).status_code == 200
    assert {request.host for request in other_site.requests} == {other_site.service[7:]}
    account = f"{sandbox.service}/api/account"
    assert requests.get(account, headers=own, timeout=10).status_code == 403


def test_private_package_is_redirected_to_another_host_without_a_token(sandbox: Sandbox) -> None:
    header = token(sandbox.world.issue("acme", "ada").value)
    answer = get(sandbox, f"acme/private/{PRIVATE}", header)
    assert answer.status_code == 200
    asked, delivered = sandbox.requests
    assert (asked.status, asked.authorization) == (302, header["Authorization"])
    assert (delivered.status, delivered.authorization) == (200, "")
    assert asked.host.replace("127.0.0.1", "localhost") == delivered.host


def test_signed_address_is_valid_for_one_file_and_five_minutes(sandbox: Sandbox) -> None:
    header = token(sandbox.world.issue("acme", "ada").value)
    there = get(sandbox, f"acme/private/{PRIVATE}", header, follow=False).headers["Location"]
    other = there.replace("acme-private-1.0", "globex-private-1.0").replace("/acme/", "/globex/")
    assert requests.get(other, timeout=10).json()["error"]["code"] == "signature_bad"
    assert requests.get(there, timeout=10).status_code == 200
    sandbox.clock.advance(timedelta(minutes=5))
    assert requests.get(there, timeout=10).json()["error"]["code"] == "signature_expired"


@pytest.mark.parametrize(
    "path",
    [
        "anaconda-tools/../acme/main/noarch/repodata.json",
        "anaconda-tools/%2e%2e/acme/main/noarch/repodata.json",
        "anaconda-tools/..%2facme/main/noarch/repodata.json",
        "anaconda-tools//etc/passwd",
    ],
)
def test_path_outside_of_a_channel_is_not_found(sandbox: Sandbox, path: str) -> None:
    request = requests.Request("GET", sandbox.repo).prepare()
    request.url = sandbox.repo + path  # as it is: requests would tidy it up
    with requests.Session() as session:
        assert session.send(request, timeout=10).status_code == 404


def test_head_response_has_the_length_and_no_body(sandbox: Sandbox) -> None:
    address = f"{sandbox.url_of('anaconda-tools')}/{INDEX}"
    whole = requests.get(address, timeout=10)
    head = requests.head(address, timeout=10)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(whole.content))


def test_copy_with_the_same_etag_is_answered_304(sandbox: Sandbox) -> None:
    path = f"anaconda-tools/{INDEX}"
    tag = get(sandbox, path).headers["ETag"]
    again = get(sandbox, path, {"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert get(sandbox, path, {"If-None-Match": '"another"'}).status_code == 200


@pytest.mark.parametrize(
    ("wanted", "status", "length"),
    [("bytes=0-9", 206, 10), ("bytes=3-99999", 206, -3), ("bytes=0-1,3-4", 200, 0)],
)
def test_range_of_a_file_is_sent_and_several_are_ignored(
    sandbox: Sandbox, wanted: str, status: int, length: int
) -> None:
    path = f"anaconda-tools/{INDEX}"
    whole = get(sandbox, path).content
    answer = get(sandbox, path, {"Range": wanted})
    first = int(wanted[6])
    assert answer.status_code == status
    assert len(answer.content) == (length if length > 0 else len(whole) + length)
    assert whole[first:].startswith(answer.content)


def test_each_channel_has_the_repodata_formats_of_the_table(sandbox: Sandbox) -> None:
    header = token(sandbox.world.issue("acme", "ada").value)
    files = ("repodata.json", "repodata.json.zst", "repodata_shards.msgpack.zst")
    there = {
        channel: [get(sandbox, f"{channel}/noarch/{f}", header).status_code for f in files]
        for channel in ("acme/main", "acme/private", "acme/public-index")
    }
    assert there == {
        "acme/main": [200, 200, 404],
        "acme/private": [200, 200, 200],
        "acme/public-index": [200, 404, 404],
    }


def test_notices_require_the_same_credential_as_repodata(sandbox: Sandbox) -> None:
    assert get(sandbox, "acme/main/notices.json").status_code == 403
    header = token(sandbox.world.issue("acme", "ada").value)
    assert get(sandbox, "acme/main/notices.json", header).json() == {"notices": []}
