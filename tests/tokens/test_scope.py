"""Normal form of a prefix, the URLs that it covers, and the URLs that are refused."""

from __future__ import annotations

from fnmatch import fnmatch
from string import ascii_letters, digits

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from conda_token_plugin.errors.input import BadInput, MalformedURL
from conda_token_plugin.tokens import scope
from conda_token_plugin.tokens.repository_layout import (
    organization_of,
    organization_prefix,
    shared_prefixes,
)
from conda_token_plugin.tokens.scope import (
    channel_of,
    folder_of,
    longest_prefix,
    normalised,
    path_before_token,
    pattern,
    without_credentials,
    without_secrets,
)
from conda_token_plugin.tokens.url_credentials import url_credentials

REPO = "https://repo.anaconda.cloud/repo/"
ACME = "https://repo.anaconda.cloud/repo/acme"

segment = st.text(
    alphabet=st.characters(whitelist_categories=("Ll", "Nd"), max_codepoint=127), min_size=1
).filter(lambda text: text != "t")


@pytest.mark.parametrize(
    ("url", "prefix"),
    [
        (f"{ACME}/", ACME),
        ("HTTPS://Repo.Anaconda.Cloud:443/repo/acme", ACME),
        ("https://Repo.Anaconda.Cloud/repo/acme", ACME),
        ("https://repo.anaconda.cloud/repo/%61cme", ACME),
        ("https://repo.anaconda.cloud/repo/acme?x=1#y", ACME),
        ("https://repo.anaconda.cloud/repo/%c3%a4", "https://repo.anaconda.cloud/repo/%C3%A4"),
        ("https://bücher.example/c", "https://xn--bcher-kva.example/c"),
        ("https://faß.example/c", "https://xn--fa-hia.example/c"),
        ("https://\N{FULLWIDTH LATIN SMALL LETTER H}ost.example/c", "https://host.example/c"),
        ("http://127.0.0.1:8080/c", "http://127.0.0.1:8080/c"),
        ("http://localhost:80/c", "http://localhost/c"),
        ("https://host.example/é/x", "https://host.example/%C3%A9/x"),
        ("https://host.example/%c3%a9/x", "https://host.example/%C3%A9/x"),
        ("https://host.example/\N{GRINNING FACE}", "https://host.example/%F0%9F%98%80"),
        ("https://host.example//repo/acme", "https://host.example/repo/acme"),
        ("https://host.example//a://b", "https://host.example/a://b"),
        ("https://host.example/repo//acme", "https://host.example/repo//acme"),
        ("https://host.example/a%20b", "https://host.example/a%20b"),
        ("https://host.example/a!b%20c", "https://host.example/a!b%20c"),
        ('https://host.example/"<>[]^`{|}', "https://host.example/%22%3C%3E%5B%5D%5E%60%7B%7C%7D"),
        ("https://host.example/%5bx%5D", "https://host.example/%5Bx%5D"),
        ("https://host.example/%2a%3B*;/c?d;e#f;g", "https://host.example/*;*;/c"),
        ("https://host.example/50%/%zz/a%25", "https://host.example/50%25/%25zz/a%25"),
        ("https://host.example/Xa/X/", "https://host.example/Xa/X"),
        ("https://host.example", "https://host.example"),
    ],
)
def test_url_is_reduced_to_its_normal_form(url: str, prefix: str) -> None:
    assert normalised(url) == prefix


@pytest.mark.parametrize(
    "url",
    [
        "http://repo.anaconda.cloud/repo/acme",
        "http://127.0.0.1.evil.example/c",
        "http://localhost.evil.example/c",
        "http://127.0.0.\N{ARABIC-INDIC DIGIT ONE}/c",
        "ftp://host.example/c",
        "file:///etc/passwd",
        "s3://bucket/c",
        "acme",
        "",
        "https://",
        "https://host.example:99999/c",
        "https://host.example:port/c",
        "https://[::1/c",
        "http://[::1]:8000/c",
        "https://[2001:db8::1]/c",
        "https://host.example/\ud800",
        f"{ACME}/../acme-evil",
        f"{ACME}/%2e%2e/acme-evil",
        f"{ACME}/%2E./acme-evil",
        f"{ACME}/..;/acme-evil",
        f"{ACME}/%2e%2e;x=y/acme-evil",
        f"{ACME}/a..b/..;",
        f"{ACME}%2fmain",
        f"{ACME}%E9",
        f"{ACME}\\main",
        f"{ACME}%5Cmain",
        f"{ACME}/a b",
        "https://host.example\\@evil.example/c",
        "https://host.example/a\x7fb",
        "https://host.example/a\x01b",
        "https://bü..example/c",
        f"https://{'ü' * 70}.example/c",
        "https://user:password@repo.anaconda.cloud/repo/acme",
        "https://repo.anaconda.cloud@evil.example/repo/acme",
        "https://repo.anaconda.cloud/t/some-token/repo/acme",
    ],
)
def test_url_that_no_token_may_be_sent_to_is_refused_and_not_covered(url: str) -> None:
    with pytest.raises(MalformedURL):
        normalised(url)
    everything = {ACME, "https://repo.anaconda.cloud", "https://evil.example", "https://host"}
    assert longest_prefix(f"{url}/noarch/repodata.json", among=everything) is None


@given(st.from_regex(r"[a-zß-öø-ÿ]{1,12}", fullmatch=True))
def test_host_is_encoded_as_requests_encodes_it(name: str) -> None:
    url = f"https://{name}.example/c"
    try:
        sent = requests.Request("GET", url).prepare().url
    except requests.exceptions.InvalidURL:
        with pytest.raises(MalformedURL):
            normalised(url)
    else:
        assert normalised(url) == sent


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("x-1.0-0.conda", ACME),
        ("", ACME),
        ("..", f"{ACME}/.."),
        ("%2e%2e", f"{ACME}/%2e%2e"),
        ("..%2Fglobex", f"{ACME}/..%2Fglobex"),
        ("..\\globex", f"{ACME}/..\\globex"),
        ("\\globex", f"{ACME}/\\globex"),
        ("x-1%2B2-0.conda", f"{ACME}/x-1%2B2-0.conda"),
    ],
)
def test_folder_keeps_a_last_segment_that_could_escape_it(name: str, folder: str) -> None:
    assert folder_of(f"{ACME}/{name}") == folder


@pytest.mark.parametrize(
    ("url", "prefix"),
    [
        (f"{ACME}/main/noarch/repodata.json", ACME),
        (ACME, ACME),
        (f"{ACME}-evil/main/noarch/repodata.json", None),
        (f"{ACME}evil/main/noarch/repodata.json", None),
        ("https://repo.anaconda.cloud/repo/ACME/main", None),
        ("https://repo.anaconda.cloud/repo/globex/main", None),
        ("https://repo.anaconda.cloud/repo", None),
        ("https://repo.anaconda.cloud:8443/repo/acme/main", None),
        ("https://repo.anaconda.cloud./repo/acme/main", None),
        ("https://evil.example/repo/acme/main", None),
        (f"{ACME}\n", None),
        (f"{ACME}/ma\tin/noarch/x.conda", None),
        (f"{ACME}/private/noarch/x.conda", f"{ACME}/private"),
        (f"{ACME}/privateer/noarch/x.conda", ACME),
    ],
)
def test_longest_prefix_on_a_segment_boundary_covers_the_url(url: str, prefix: str | None) -> None:
    assert longest_prefix(url, among={ACME, f"{ACME}/private"}) == prefix


@given(st.lists(segment, min_size=1, max_size=5), st.integers(0, 5), st.text(max_size=8))
def test_prefix_covers_a_url_exactly_if_the_url_begins_with_its_segments(
    segments: list[str], cut: int, tail: str
) -> None:
    base = "https://host.example"
    prefix = "/".join([base, *segments[:cut]])
    assert longest_prefix("/".join([base, *segments]), among={prefix}) == prefix
    longer = f"{'/'.join([base, *segments])}{tail}"
    if longest_prefix(longer, among={prefix}) and segments[:cut]:
        assert longer == prefix or longer[len(prefix)] in "/?#"


@given(st.text(alphabet="a/. %2f5cCF0\\\x7f\x00\n;é\u200b"))
def test_quick_test_of_a_path_agrees_with_the_full_test(text: str) -> None:
    characters, parts = scope._AMBIGUOUS_CHARACTERS, scope._AMBIGUOUS_PARTS
    lower = f"{text}/".lower()
    odd = any(one in characters for one in text) or any(part in lower for part in parts)
    assert scope._is_ambiguous(text) == odd


@given(st.text())
def test_any_text_is_normalised_or_refused(url: str) -> None:
    try:
        prefix = normalised(url)
    except MalformedURL:
        return
    assert normalised(prefix) == prefix
    assert longest_prefix(url, among={prefix}) == prefix


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:p4ssw0rd@h.example/c", "https://h.example/c"),
        ("https://h.example/t/tk-12345678/c?q=tk-12345678#f", "https://h.example/c"),
        ("https://h.example/t/tk-12345678", "https://h.example"),
        ("u:p4ssw0rd@h.example/t/tk-12345678/c", "h.example/c"),
        ("https://u:p4ssw0rd@h.example/a://b", "https://h.example/a://b"),
        ("https://conda.example/u:p4ssw0rd@h.example/c", "https://conda.example/h.example/c"),
        ("https://conda.example/u:p4@ssw0rd@h.example/c", "https://conda.example/h.example/c"),
        ("u:p4/ssw0rd@h.example/c", "h.example/c"),
        ("https://h.example:8080/a:b/c@d", "https://h.example:8080/d"),
        ("https://h.example:8080/@a/b@c", "https://h.example:8080/@a/b@c"),
        ("conda-forge/label/dev", "conda-forge/label/dev"),
    ],
)
def test_url_is_shown_without_secrets(url: str, shown: str) -> None:
    assert without_secrets(url) == shown


@pytest.mark.parametrize("piece", ["a:x/", "a:1/", "@a:", "/t/", "a:x@/"])
def test_secrets_of_a_url_of_any_length_are_removed_in_linear_time(piece: str) -> None:
    """With a pattern whose work grows with the square, the time limit of the test is exceeded."""
    assert len(without_secrets(f"https://h/{piece * 300_000}")) < 1_300_000


@pytest.mark.parametrize("piece", ["a:", " a:b@c.", "t/", "a.b/t/", "x://", " t/a1", "'a:b@"])
def test_credentials_in_a_text_of_any_length_are_found_in_linear_time(piece: str) -> None:
    """As above."""
    assert list(url_credentials(piece * 300_000)) == []


def test_credentials_are_removed_from_a_channel_and_its_path_is_kept() -> None:
    url = "https://u:p4ssw0rd@h.example/t/tk-12345678/a:b@c?q#f"
    assert without_credentials(url) == "https://h.example/a:b@c"


@given(st.sampled_from(["https://u:{}@h/c", "https://h/t/{}/c", "https://h/c?k={}", "h/t/{}"]))
def test_error_about_a_url_does_not_show_its_secret(shape: str) -> None:
    url = shape.format("tk-1234567890")
    with pytest.raises(MalformedURL) as caught:
        normalised(f"{url}/../x" if "?" not in url else f"http{url}")
    assert "tk-1234" not in str(caught.value)


@given(segment, segment)
def test_glob_matches_below_the_prefix_and_not_beside_it(a: str, b: str) -> None:
    prefix = f"https://host.example/{a}"
    glob = pattern(prefix)
    assert fnmatch(f"{prefix}/{b}/noarch/repodata.json", glob)
    assert not fnmatch(f"{prefix}-{b}/noarch/repodata.json", glob)


def test_special_characters_of_a_glob_match_the_prefix_in_each_notation() -> None:
    glob = pattern(normalised("https://host.example/[a]*"))
    for path in ("[a]*", "%5Ba%5D%2A", "%5Ba%5D*"):
        assert fnmatch(f"https://host.example/{path}/x", glob)
    assert not fnmatch("https://host.example/b/x", glob)


@pytest.mark.parametrize("token", ["aB3" * 16, f"eyJ{'a' * 20}.{'b' * 40}.{'c-_' * 9}"])
@pytest.mark.parametrize("form", ["{}", "Authorization: token {}", "{} team"])
def test_name_that_contains_a_token_is_refused_as_organization_and_not_shown(
    form: str, token: str
) -> None:
    with pytest.raises(BadInput, match="…") as caught:
        organization_prefix("https://repo.example/repo", form.format(token))
    assert token not in str(caught.value)


def test_organization_is_one_segment_of_the_repository() -> None:
    assert organization_prefix(REPO, "acme") == ACME
    assert organization_prefix(REPO, "a b") == "https://repo.anaconda.cloud/repo/a%20b"
    for name in ("", "a/b", "..", ".", "a\nb", "../x"):
        with pytest.raises(BadInput) as caught:
            organization_prefix(REPO, name)
        assert caught.value.what == f"No organization is called {name!r}."
        assert caught.value.hint == "Run: conda token whoami"


@pytest.mark.parametrize("slash", ["", "/"])
def test_prefixes_of_a_repository_are_its_channels_with_and_without_a_final_slash(
    slash: str,
) -> None:
    repository = "https://host.example/X"
    channels = tuple(f"{repository}/{name}" for name in ("main", "r", "msys2"))
    assert shared_prefixes(f"{repository}{slash}") == channels
    assert organization_prefix(f"{repository}{slash}", "acme") == f"{repository}/acme"
    owner = organization_of(f"{repository}/acme/main", repository=f"{repository}{slash}")
    assert owner == "acme"


@pytest.mark.parametrize(
    ("prefix", "glob"),
    [
        ("https://host.example", "https://host.example/*"),
        ("http://localhost:8000/a", "http://localhost:8000/a/*"),
        ("https://host.example/a%20b/c!d/e", "https://host.example/a*b/c*d/e/*"),
        ("https://host.example/a://b", "https://host.example/a*//b/*"),
    ],
)
def test_glob_has_a_wildcard_for_what_may_be_escaped(prefix: str, glob: str) -> None:
    assert pattern(prefix) == glob


@pytest.mark.parametrize(
    ("prefix", "url"),
    [
        ("https://host.example/%C3%A9", "https://host.example/é/noarch/repodata.json"),
        ("https://host.example/a%20b", "https://host.example/a b/noarch/repodata.json"),
    ],
)
def test_glob_matches_the_unescaped_url_that_conda_compares(prefix: str, url: str) -> None:
    assert fnmatch(url, pattern(prefix))


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("ftp://host.example/c", "it does not begin with https://"),
        ("https:///acme", "it names no host"),
        ("https://host.example:port/c", "it is not a valid URL"),
        *(
            (f"https://{host}/c", "its host is not a valid name")
            for host in (
                *("bü..example", "host..example", ".example", "*", "*.example", "ho%20st", "a,b"),
                *(f"{'x' * 64}.example", "$HOST", "a..", "host.example;x"),
            )
        ),
        ("http://[::1]:8000/x", "it has an IPv6 address, which conda cannot read; use a host name"),
        ("http://host.example/x", "it is not encrypted"),
        ("http://ada@localhost/x", "it contains credentials"),
        ("http://localhost/t/TOKEN", "it contains credentials"),
        ("http://localhost/ada:TOKEN@host/x", "it contains credentials"),
        (f"{ACME}/a b", "it contains a space; write it as %20"),
        *(
            (f"{ACME}/{path}", f"conda requests another channel, because of {part}")
            for path, part in [
                *(("x;v", ";v"), ("x;", ";"), ("x;v/", ";v"), ("x;v?a/b", ";v")),
                *(("x%3Bv", ";v"), ("x%3bv/", ";v"), ("x%253Bv", "%253B"), ("a%2562/c", "%2562")),
                *(("a%3Fb", "%3F"), ("a%3fb/c", "%3F"), ("a%23b", "%23"), ("a%2523", "%2523")),
                *(("a%0ab", "%0A"), ("a%0D/b", "%0D"), ("%09", "%09")),
            ]
        ),
        *((f"{ACME}/a{odd}b", "it has a line break or a tab") for odd in "\t\r\n"),
        *(
            (
                f"{ACME}/{odd}",
                "it has a dot segment, a backslash, a control character or an encoded slash",
            )
            for odd in ("..", "a%2Fb", "\\", "\x7f")
        ),
    ],
)
def test_refusal_of_a_url_names_its_fault(url: str, fault: str) -> None:
    with pytest.raises(MalformedURL) as caught:
        normalised(url)
    assert caught.value.what.endswith(f": {fault}.")


@pytest.mark.parametrize(
    ("path", "before"),
    [
        ("/api/repo/t/TOKEN/main", "/api/repo"),
        ("/sub/t/TOKEN/get/main", "/sub"),
        ("/é/t/<TOKEN>/main", "/%C3%A9"),
        ("/t/TOKEN/get/main", ""),
        ("/t/TOKEN/get/t/main", ""),
        ("/get/main", ""),
        ("/get/main/t", ""),
        ("/get/main?a=/x/t/TOKEN/", ""),
    ],
)
def test_path_before_the_token_is_found_in_a_url(path: str, before: str) -> None:
    assert path_before_token(f"https://a.example:8080{path}") == before
    assert path_before_token(f"see https://a.example:8080{path}") == ""


@pytest.mark.parametrize(
    ("rest", "channel"),
    [
        ("main/noarch/repodata.json", "main"),
        ("main/noarch/shards/ab12.msgpack.zst", "main"),
        ("main/linux-64/shards/ab.msgpack.zst", "main"),
        ("main/noarch/repodata_shards.msgpack.zst", "main"),
        ("main/win-64/x-1-0.conda", "main"),
        ("main/win-tools/noarch/x-1-0.tar.bz2", "main/win-tools"),
        ("main/noarch", "main"),
        ("main/noarch/", "main"),
        ("main/notices.json", "main"),
        ("main", "main"),
        ("main/", "main"),
        ("main/X", "main/X"),
        ("label/dev", "label/dev"),
    ],
)
def test_channel_of_a_url_is_the_part_before_the_subdir(rest: str, channel: str) -> None:
    assert channel_of(f"{ACME}/{rest}") == f"{ACME}/{channel}"


@pytest.mark.parametrize("host", ["noarch", "host.conda"])
def test_host_called_like_a_subdir_or_a_file_is_part_of_the_channel(host: str) -> None:
    assert channel_of(f"https://{host}/main/noarch/repodata.json") == f"https://{host}/main"
    assert channel_of(f"https://{host}") == f"https://{host}"


@pytest.mark.parametrize(
    ("url", "organization"),
    [
        (f"{REPO}acme/main/noarch/repodata.json", "acme"),
        (f"{REPO}acme", "acme"),
        (f"{REPO}my%20org/main", "my org"),
        (f"{REPO}%1b%5b2J/main", "%1B%5B2J"),
        (f"{REPO}main/noarch/repodata.json", None),
        (f"{REPO}pro/linux-64/x-1-0.conda", None),
        (REPO, None),
        (f"{REPO}../acme/main", None),
        ("https://repo.anaconda.cloud/repository/acme", None),
        ("https://other.example/repo/acme/main", None),
    ],
)
def test_organization_of_a_url_is_the_first_segment_below_the_repository(
    url: str, organization: str | None
) -> None:
    assert organization_of(url, repository=REPO) == organization


@pytest.mark.parametrize(
    "path", ["a%00b", "a%2Fb", "a%5cb", "a/./b", "a/../b", "a/.;x/b", "a/..;x/b", "a/.", "a/.."]
)
def test_path_that_servers_read_in_different_ways_is_refused(path: str) -> None:
    url = f"https://repo.example/{path}"
    with pytest.raises(MalformedURL, match="dot segment"):
        normalised(url)
    assert longest_prefix(url, among={"https://repo.example", "https://repo.example/a"}) is None


@pytest.mark.parametrize(
    "subdir",
    [
        "noarch",
        "linux-64",
        "linux-aarch64",
        "linux-ppc64le",
        "linux-s390x",
        "linux-32",
        "linux-armv7l",
        "linux-armv6l",
        "linux-riscv64",
        "osx-64",
        "osx-arm64",
        "win-64",
        "win-arm64",
        "win-32",
        "freebsd-64",
        "emscripten-wasm32",
        "wasi-wasm32",
        "zos-z",
    ],
)
def test_each_subdir_of_conda_ends_the_channel(subdir: str) -> None:
    url = f"https://repo.example/acme/main/{subdir}/shards/x.msgpack.zst"
    assert channel_of(url) == "https://repo.example/acme/main"
    assert channel_of(f"acme/{subdir}/x.conda") == "acme"


def test_first_part_of_an_address_is_no_subdir() -> None:
    assert channel_of("noarch/x") == "noarch/x"
    assert channel_of("https://noarch/x") == "https://noarch/x"
    assert channel_of("https://noarch/notices.json") == "https://noarch"


@pytest.mark.parametrize("name", ["main", "r", "msys2", "free", "mro-archive", "pro", "main-x"])
def test_channel_of_the_repository_itself_belongs_to_no_organization(name: str) -> None:
    repository = "https://repo.anaconda.cloud/repo/"
    assert organization_of(f"{repository}{name}/noarch/x", repository=repository) is None
    assert organization_of(f"{repository}{name}1/noarch/x", repository=repository) == f"{name}1"


def test_each_character_has_the_one_form_in_which_conda_and_requests_send_it() -> None:
    unescaped = f"{ascii_letters}{digits}-._~!$&'()*+,;=:@"
    for character in map(chr, range(0x21, 0x7F)):
        if character not in "/\\?#":  # refused
            escape = f"%{ord(character):02X}"
            url = f"https://host.example/a{character if character in unescaped else escape}b/c"
            assert normalised(f"https://host.example/a{escape.lower()}b/c") == url
            assert normalised(f"https://host.example/a{character}b/c") == url
