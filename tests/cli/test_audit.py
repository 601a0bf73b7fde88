"""`audit`: where tokens are found, that none is shown, and which of them `--fix` removes."""

from __future__ import annotations

import bz2
import io
import json
import os
import stat
import struct
import sys
import tarfile
import tracemalloc
import zipfile
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conda_token_plugin.operations.audit.patterns import RULES, hits
from conda_token_plugin.settings import Settings
from conda_token_plugin.store import user_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Shell

UNKNOWN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST48"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjE4OTM0NTYwMDB9.c2lnbmF0dXJlLW9mLWl0"


@pytest.fixture(autouse=True)
def at_project(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In a project's folder, with nothing of this machine's conda in reach."""
    project = shell.home / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    monkeypatch.setattr("sys.prefix", str(shell.home / "no-conda"))
    return project


def stored(shell: Shell, organization: str = "acme") -> str:
    shell.install(organization)
    token = shell.sandbox.world.current(organization, "ada")
    assert token
    return token.value


# Where it is found.

SHAPES = {
    "token-in-url": "channels: [https://c.example/t/{0}/acme]",
    "login-in-url": "pip install -i https://me:{0}@c.example/simple x",
}
CHANNELS = {
    "t/{0}/acme": "token-in-url",
    "c.example:8443/t/{0}/acme": "token-in-url",
    "me:{0}@c.example/acme": "login-in-url",
    "me:{0}@c.example:8443/acme": "login-in-url",
    "s3://KEY:{0}@bucket/acme": "login-in-url",
    "ftp://me:{0}@c.example/acme": "login-in-url",
}
"""Channels without https://, in which conda takes the credential for a part of the name."""


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        *SHAPES.items(),
        *((rule, f"channels: [{channel}]") for channel, rule in CHANNELS.items()),
        *((rule, f"conda install -c {channel} x") for channel, rule in CHANNELS.items()),
        *((rule, f"channels:\n  - '{channel}'") for channel, rule in CHANNELS.items()),
    ],
)
def test_audit_finds_an_unknown_token_in_a_url(shell: Shell, rule: str, text: str) -> None:
    path = shell.write(
        "project/notes.md", f"one\n\n{text.format(UNKNOWN)}\n".replace("\n  -", " -")
    )
    ran = shell("audit", ".", "--json")
    assert ran.code == 1
    (found,) = ran.json
    last_four = "" if rule == "login-in-url" else UNKNOWN[-4:]  # no part of a password is shown
    assert (found["rule"], found["line"], found["last_four"]) == (rule, 3, last_four)
    assert found["path"].endswith(path.name)
    assert UNKNOWN not in ran.out + ran.err
    assert UNKNOWN not in (told := shell("audit", ".")).out + told.err


def test_audit_refers_to_the_administrator_for_a_site_token(shell: Shell) -> None:
    value = shell.issued("acme", "").value
    shell.set("T", value)
    shell("install", "--site", "--org", "acme", "--token-env", "T")
    shell.write("project/.env", f"X={value}\n")
    ran = shell("audit", ".")
    assert ran.code == 1
    assert "install --site --org acme" in ran.err
    assert "--reissue" not in ran.err


@pytest.mark.parametrize("text", ["Authorization: token {0}", "conda token set {0}", "x = '{1}'"])
def test_audit_leaves_other_secrets_to_general_scanners(shell: Shell, text: str) -> None:
    shell.write("project/x.py", text.format(UNKNOWN, JWT))
    assert shell("audit", ".").code == 0
    assert "gitleaks" in shell("audit", "--help").out


@pytest.mark.parametrize(
    "text",
    [
        "https://c.example/t/<TOKEN>/acme https://c.example/t/$TOKEN/a https://c.example/t/*****/a",
        "https://user:<password>@c.example https://user:${PASSWORD}@c.example",
        "Authorization: token $ANACONDA_REPO_TOKEN_ACME",
        "ANACONDA_REPO_TOKEN_ACME=${{ secrets.ANACONDA_REPO_TOKEN_ACME }}",
        "conda token set <YOUR_TOKEN>",
        "conda token install --org acme-corporation --channel=https://c.example/acme -y",
        "conda token set --help and then something-else-entirely",
        "https://c.example/path/t and https://c.example/@scope/package",
        "the token of acme is 48 letters long",
        "mailto:me@c.example, git@github.example:acme/x, a:b@sha256:0123456789abcdef/x",
        "image: docker.example/acme/x:1.2@sha256:0123456789abcdef0123456789abcdef",
        "a/t/test_0123456789_abcdefghij.py t/short-1/x t/a-long-name-without-digits/x t/$TOKEN/x",
        "me:<password>@c.example/x me:$PASSWORD@c.example/x 10:30@c.example https://c.example:80/@x",
    ],
)
def test_audit_does_not_report_placeholders(shell: Shell, text: str) -> None:
    shell.write("project/README.md", text)
    ran = shell("audit", ".").well()
    assert "No token was found" in ran.err


def test_audit_finds_a_stored_token_within_other_text(shell: Shell) -> None:
    value = stored(shell)
    shell.write("project/log.txt", f"prefix{value}suffix\n")
    ran = shell("audit", "--json")
    (found,) = ran.json
    assert (found["rule"], found["organization"]) == ("stored-token", "acme")
    assert "conda-token-plugin install --org acme --reissue" in ran.err
    assert value not in ran.out + ran.err


def test_audit_finds_a_token_that_a_variable_supplies(shell: Shell) -> None:
    shell.set("ANACONDA_REPO_TOKEN_GLOBEX", "supplied-0123456789")
    shell.write("project/a.txt", "x supplied-0123456789 x")
    (found,) = shell("audit", "--json").json
    assert found["organization"] == "globex"


PLACES = {
    ".condarc": "channels:\n- {url}\n",
    ".config/conda/condarc.d/x.yml": "default_channels: [{url}]\n",
    ".mambarc": "channels: ['{url}']\n",
    ".bash_history": "ls\nconda install -c {url} x\n",
    ".zsh_history": ": 1700000000:0;conda install -c {url} x\n",
    ".local/share/fish/fish_history": "- cmd: conda install -c {url} x\n",
    ".config/pip/pip.conf": "[global]\nindex-url = {url}\n",
    ".conda/pkgs/urls.txt": "{url}/noarch/x-1-0.conda\n",
    ".conda/pkgs/x-1-0/info/about.json": '{{"channels": ["{url}"]}}',
    ".conda/pkgs/http/h.example/repo/acme/main/urls.txt": "{url}/noarch/x-1-0.conda\n",
    ".conda/pkgs/http/h.example/a/x-1-0/info/repodata_record.json": '{{"url": "{url}/x.conda"}}',
    ".conda/pkgs/cache/1.info.json": '{{"url": "{url}/noarch/repodata.json"}}',
    "envs/a/conda-meta/history": "# cmd: conda create -c {url} x\n",
    "envs/a/conda-meta/x-1-0.json": '{{"url": "{url}/noarch/x-1-0.conda"}}',
    "project/environment.yml": "channels: [{url}]\n",
    "project/conda-lock.yml": "- url: {url}/noarch/x-1-0.conda\n",
    "project/pixi.lock": "- conda: {url}/noarch/x-1-0.conda\n",
    "project/.env": "CHANNEL={url}\n",
    "project/spec.txt": "@EXPLICIT\n{url}/noarch/x-1-0.conda\n",
}


@pytest.mark.parametrize("name", PLACES)
def test_audit_without_a_path_searches_the_known_places(shell: Shell, name: str) -> None:
    value = stored(shell)
    path = shell.write(name, PLACES[name].format(url=shell.url_with(value, "acme", "main")))
    shell.write(".conda/environments.txt", f"{shell.home / 'envs' / 'a'}\n")
    found = shell("audit", "--json").json
    assert [one["path"] for one in found] == [str(path)]
    assert found[0]["organization"] == "acme"


@pytest.mark.parametrize("name", PLACES)
def test_audit_fix_changes_nothing_but_the_token(shell: Shell, name: str) -> None:
    value = stored(shell)
    text = PLACES[name].format(url=shell.url_with(value, "acme", "main"))
    path = shell.write(name, text)
    path.chmod(0o640)
    shell.write(".conda/environments.txt", f"{shell.home / 'envs' / 'a'}\n")
    ran = shell("audit", "--fix", "--yes", "--json").well()
    assert [one["fixed"] for one in ran.json] == [True]
    assert path.read_text() == text.replace(f"/t/{value}", "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert "--reissue" in ran.err
    assert shell("audit").code == 0


def test_audit_fix_keeps_an_unstored_token_in_a_setting(shell: Shell) -> None:
    text = f"channels: [https://c.example/t/{UNKNOWN}/a]\n"
    path = shell.write(".condarc", text)
    ran = shell("audit", "--fix", "--yes")
    assert ran.code == 1
    assert f"import {path} --clean" in ran.err
    assert path.read_text() == text


def test_audit_fix_removes_unstored_tokens_from_records(shell: Shell) -> None:
    path = shell.write(".conda/pkgs/urls.txt", f"https://c.example/t/{UNKNOWN}/a/noarch/x\n")
    assert shell("audit", "--fix", "--yes").code == 0
    assert path.read_text() == "https://c.example/a/noarch/x\n"


def test_audit_fix_keeps_the_lines_of_a_shell_history(shell: Shell) -> None:
    value = stored(shell)
    path = shell.write(
        ".bash_history",
        f"ls\nconda token set {value}\nANACONDA_REPO_TOKEN={value} conda info\ncd\n",
    )
    assert shell("audit", "--fix", "--yes").code == 0
    assert path.read_text() == (
        "ls\nconda token set REMOVED\nANACONDA_REPO_TOKEN=REMOVED conda info\ncd\n"
    )


def test_audit_fix_asks_for_confirmation(shell: Shell) -> None:
    path = shell.write(".bash_history", f"conda search -c https://c.example/t/{UNKNOWN}/a\n")
    shell("audit", "--fix").failed(2, "--yes")
    assert UNKNOWN in path.read_text()


def test_audit_fix_keeps_a_file_that_is_a_link(shell: Shell, tmp_path: Path) -> None:
    real = shell.write(tmp_path / "history", f"conda search -c https://c.example/t/{UNKNOWN}/a\n")
    (shell.home / ".bash_history").symlink_to(real)
    ran = shell("audit", "--fix", "--yes")
    assert ran.code == 1
    assert "symbolic link" in ran.err
    assert UNKNOWN in real.read_text()


def test_audit_names_the_export_that_wrote_a_finding(shell: Shell) -> None:
    stored(shell)
    shell("export", "dotenv")
    ran = shell("audit", "--json")
    (found,) = ran.json
    assert found["advice"] == "it was exported: conda token export dotenv --remove"


def test_audit_does_not_report_the_store(shell: Shell) -> None:
    stored(shell)
    assert shell("audit", str(shell.home)).code == 0


# Packages.


def about_with(value: str) -> bytes:
    return json.dumps({"channels": [f"https://c.example/t/{value}/a"]}, indent=1).encode()


def tar_of(members: dict[str, bytes], kind: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=kind) as archive:  # type: ignore[call-overload]  # any
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return made.getvalue()


MEMBERS = {"info/about.json": about_with(UNKNOWN), "lib/x.py": about_with("not-looked-into-0123")}


def compressed(data: bytes) -> bytes:
    """With whichever library is here."""
    for name in ("compression.zstd", "backports.zstd", "zstandard"):
        if find_spec(name.partition(".")[0]) and find_spec(name):
            library = import_module(name)
            pack = getattr(library, "compress", None) or library.ZstdCompressor().compress
            return bytes(pack(data))
    pytest.skip("no library for zstandard is installed")


def write_old(path: Path) -> Path:
    path.write_bytes(tar_of(MEMBERS, "w:bz2"))
    return path


def write_new(path: Path) -> Path:
    packed = compressed(tar_of(MEMBERS, "w"))
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("info-x-1-0.tar.zst", packed)
    return path


@pytest.mark.parametrize("suffix", [".tar.bz2", ".conda"])
def test_audit_searches_packages_and_does_not_change_them(
    shell: Shell, at_project: Path, suffix: str
) -> None:
    path = (write_new if suffix == ".conda" else write_old)(at_project / f"x-1-0{suffix}")
    before = path.read_bytes()
    ran = shell("audit", str(path), "--fix", "--yes", "--json")
    assert ran.code == 1
    (found,) = ran.json
    assert (found["inside"], found["line"]) == ("info/about.json", 3)
    assert "rebuild the package" in found["advice"]
    assert path.read_bytes() == before


@pytest.mark.parametrize("suffix", [".tar.bz2", ".conda"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"BZh91AY&SY\x00", b"\x00" * 100])
def test_audit_reports_a_damaged_package_and_continues(
    shell: Shell, at_project: Path, suffix: str, content: bytes
) -> None:
    path = at_project / f"x{suffix}"
    path.write_bytes(content)
    ran = shell("audit", str(path)).well()
    assert "is not a package that can be read" in ran.err


def test_audit_reports_a_truncated_package(shell: Shell, at_project: Path) -> None:
    path = write_new(at_project / "x.conda")
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("info-x-1-0.tar.zst", b"\x28\xb5\x2f\xfd not zstandard")
    assert "is not a package that can be read" in shell("audit", str(path)).err


BOMB_SIZE = 6 * 1024**3


def header_bomb(path: Path) -> None:
    """Write a small archive with an extended header of 6 GiB."""
    header = tarfile.TarInfo("././@PaxHeader")
    header.type, header.size = tarfile.XHDTYPE, BOMB_SIZE
    path.write_bytes(bz2.compress(header.tobuf(tarfile.GNU_FORMAT)) + ZEROS * 100)


ZEROS = bz2.compress(bytes(1024 * 1024))


def nested_headers(path: Path) -> None:
    """Write an archive of extended headers that each describe another one."""
    record = b"9 a=bcde\n"
    header = tarfile.TarInfo("././@PaxHeader")
    header.type, header.size = tarfile.XHDTYPE, len(record)
    block = header.tobuf() + record.ljust(512, b"\0")
    path.write_bytes(bz2.compress(block * 5000))


def quadratic_header(path: Path, body: bytes) -> None:
    """Write an archive with a header for which `tarfile` of Python 3.10 takes hours."""
    header = tarfile.TarInfo("././@PaxHeader")
    header.type, header.size = tarfile.XHDTYPE, len(body)
    path.write_bytes(bz2.compress(header.tobuf() + body + bytes(-len(body) % 512)))


def digits(path: Path) -> None:
    quadratic_header(path, b"1" * 3_000_000)


def long_keyword(path: Path) -> None:
    quadratic_header(path, b"5 aa\n" * 600_000 + b"=")


def many_findings(path: Path) -> None:
    """Write an archive in which each of many files has as many findings as it can."""
    data = b"https://a:b@c\n" * 20_000
    path.write_bytes(tar_of({f"info/{number}": data for number in range(30)}, "w:bz2"))


@pytest.mark.parametrize(
    "write", [header_bomb, nested_headers, digits, long_keyword, many_findings]
)
def test_audit_reports_a_hostile_archive_within_bounded_memory(
    shell: Shell, at_project: Path, write: Callable[[Path], None]
) -> None:
    path = at_project / "x-1-0.tar.bz2"
    write(path)
    tracemalloc.start()
    try:
        ran = shell("audit", str(path))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert ran.code == (write is many_findings)
    assert ran.err.count("Not searched") == 1
    assert peak < 64 * 1024 * 1024


def skipped_frame(package: zipfile.ZipFile) -> None:
    """Write a frame of 900 MiB that zstandard skips, which bzip2 compresses to 700 bytes."""
    with package.open("info-x-1-0.tar.zst", "w") as file:
        file.write(struct.pack("<LL", 0x184D2A50, 900 * 1024 * 1024))
        for _ in range(300):
            file.write(bytes(1024 * 1024))


def many_archives(package: zipfile.ZipFile) -> None:
    for number in range(2):
        package.writestr(f"info-{number}.tar.zst", compressed(tar_of(MEMBERS, "w")))


@pytest.mark.parametrize(
    ("write", "reason"),
    [(skipped_frame, "is too large"), (many_archives, "more than one archive of metadata")],
)
def test_audit_does_not_unpack_a_bomb_in_a_zip_package(
    shell: Shell, at_project: Path, write: Callable[[zipfile.ZipFile], None], reason: str
) -> None:
    path = at_project / "x-1-0.conda"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as package:
        write(package)
    compressed(b"")  # skips the test if there is no library
    ran = shell("audit", str(path)).well()
    assert ran.err.count(reason) == 1


@pytest.mark.parametrize(("offset", "value"), [(6, b"\x01\x00"), (8, b"\x63\x00")])
def test_audit_reports_an_encrypted_or_unknown_zip_member_in_one_row(
    shell: Shell, at_project: Path, offset: int, value: bytes
) -> None:
    path = write_new(at_project / "x.conda")
    data = bytearray(path.read_bytes())
    central = data.index(b"PK\x01\x02")
    data[offset : offset + 2] = value
    data[central + offset + 2 : central + offset + 4] = value
    path.write_bytes(data)
    ran = shell("audit", str(path)).well()
    assert ran.err.count("is not a package that can be read") == 1


def test_audit_searches_folders_of_any_depth(
    shell: Shell, at_project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    depth = 0
    try:
        while depth < sys.getrecursionlimit() + 100:
            os.mkdir("d")  # noqa: PTH102  # a path from the top would be too long on some systems
            monkeypatch.chdir("d")
            depth += 1
        with open("urls.txt", "w", encoding="utf-8") as file:  # noqa: PTH123  # as above
            file.write(f"https://c.example/t/{UNKNOWN}/a\n")
        ran = shell("audit", str(at_project), "--json")
    finally:  # pytest cannot delete folders of this depth
        with suppress(FileNotFoundError):
            os.unlink("urls.txt")  # noqa: PTH108  # as above
        for _ in range(depth):
            monkeypatch.chdir("..")
            os.rmdir("d")  # noqa: PTH106  # as above
    assert (ran.code, len(ran.json)) == (1, 1)


def test_audit_does_not_wait_for_a_regular_file_that_delivers_nothing(
    shell: Shell, at_project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """/proc/kmsg is such a file for root."""
    os.mkfifo(at_project / "pipe")
    monkeypatch.setattr("conda_token_plugin.gateways.foreign_files.is_file", lambda _: True)
    writer = os.open(at_project / "pipe", os.O_RDWR)
    ran = shell("audit", "pipe")
    os.close(writer)
    assert ran.code == 0
    assert "Not searched" in ran.err


def test_audit_does_not_wait_for_a_fifo(shell: Shell, at_project: Path) -> None:
    os.mkfifo(at_project / "pipe")
    assert shell("audit", ".").code == 0
    ran = shell("audit", "pipe").well()
    assert "is not a regular file" in ran.err


@pytest.mark.parametrize("option", ["--json", "--sarif", "--fix"])
def test_audit_shows_a_name_that_is_not_utf8(shell: Shell, at_project: Path, option: str) -> None:
    shell.write(at_project / os.fsdecode(b"a\xff.txt"), f"https://c.example/t/{UNKNOWN}/a\n")
    ran = shell("audit", ".", option, "--yes")
    assert ran.code == 1
    assert "Traceback" not in ran.err
    assert "dcff" in ran.out or "%FF" in ran.out


@pytest.mark.parametrize("text", ["https://" + ":" * 400_000, "https://h" + "/t/$" * 400_000])
def test_hits_ends_for_a_long_hostile_url(text: str) -> None:
    """Quadratic work takes half an hour here, which the time limit of a test ends."""
    assert hits(text, known=[]) == []


# How it is said.


def test_sarif_has_the_place_and_not_the_value(
    shell: Shell, at_project: Path, tmp_path: Path
) -> None:
    shell.write(at_project / "a b.txt", f"\nhttps://c.example/t/{UNKNOWN}/a\n")
    outside = shell.write(
        tmp_path / "out.txt", f"conda search -c https://c.example/t/{UNKNOWN}/a\n"
    )
    ran = shell("audit", ".", str(outside), "--sarif")
    assert ran.code == 1
    assert UNKNOWN not in ran.out + ran.err
    (run,) = ran.json["runs"]
    assert ran.json["version"] == "2.1.0"
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert rules == set(RULES)
    assert {one["ruleId"] for one in run["results"]} <= rules
    places = [one["locations"][0]["physicalLocation"] for one in run["results"]]
    assert places[0]["artifactLocation"]["uri"] == "a%20b.txt"
    assert places[0]["region"]["startLine"] == 2
    assert places[1]["artifactLocation"]["uri"] == outside.as_uri()


def test_sarif_of_a_clean_folder_is_empty(shell: Shell) -> None:
    ran = shell("audit", ".", "--sarif").well()
    assert ran.json["runs"][0]["results"] == []


def test_audit_of_a_missing_path_is_an_error(shell: Shell) -> None:
    shell("audit", "no-such-path").failed(2, "no-such-path")


def test_audit_skips_tool_folders_and_links(shell: Shell, at_project: Path) -> None:
    shell.write(at_project / "node_modules" / "x.js", f"https://c.example/t/{UNKNOWN}/a")
    shell.write(at_project / ".git" / "objects" / "x", f"https://c.example/t/{UNKNOWN}/a")
    (at_project / "loop").symlink_to(at_project)
    (at_project / "link.txt").symlink_to(at_project / "node_modules" / "x.js")
    assert shell("audit", ".").code == 0
    shell.write(at_project / ".git" / "config", f"url = https://me:{UNKNOWN}@c.example/x.git\n")
    assert shell("audit", ".").code == 1


# The finder itself.

TEXTS = st.lists(
    st.sampled_from([*(text.format(UNKNOWN) for text in SHAPES.values()), UNKNOWN, "\n", " ", JWT])
    | st.text(max_size=10)
).map("".join)


@given(text=TEXTS)
def test_hits_do_not_overlap_and_have_correct_positions(text: str) -> None:
    found = hits(text, known=[UNKNOWN])
    for one, other in pairwise(found):
        assert one.end <= other.start
    for one in found:
        assert one.value in text[one.start : one.end] or one.clean is not None


@given(text=TEXTS)
def test_hits_contain_every_known_value(text: str) -> None:
    covered = [text[one.start : one.end] for one in hits(text, known=[UNKNOWN])]
    assert sum(piece.count(UNKNOWN) for piece in covered) == text.count(UNKNOWN)


def test_audit_reports_a_file_that_is_too_large(
    shell: Shell, at_project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.write(at_project / "big.txt", "x" * 100)
    monkeypatch.setattr("conda_token_plugin.operations.audit.scan.MAX_BYTES", 99)
    ran = shell("audit", ".").well()
    assert "big.txt is too large, and was not searched" in ran.err


def test_audit_finds_urls_when_the_store_cannot_be_read(shell: Shell, at_project: Path) -> None:
    stored(shell)
    next(shell.home.rglob("index.json")).write_bytes(b"\xff")
    shell.write(at_project / "a.txt", f"conda search -c https://c.example/t/{UNKNOWN}/a\n")
    ran = shell("audit", ".", "--json")
    assert ran.code == 1
    assert "the stored tokens" in ran.err
    assert len(ran.json) == 1


def test_audit_searches_the_history_that_a_variable_names(shell: Shell, tmp_path: Path) -> None:
    path = shell.write(tmp_path / "hist", f"conda search -c https://c.example/t/{UNKNOWN}/a\n")
    shell.set("HISTFILE", str(path))
    assert shell("audit", "--fix", "--yes").code == 0
    assert path.read_text() == "conda search -c https://c.example/a\n"


def test_audit_finds_the_api_key_of_a_login(shell: Shell, at_project: Path) -> None:
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.store import user_store
    from conda_token_plugin.tokens.secret import Secret

    user_store(Settings()).set_login(shell.sandbox.service, Secret("login-key-0123456789"))
    shell.write(at_project / "a.txt", "x login-key-0123456789 x")
    ran = shell("audit", ".")
    assert ran.code == 1
    assert "your API key" in ran.err


def test_audit_handles_thousands_of_findings(shell: Shell, at_project: Path) -> None:
    lines = "".join(f"https://c.example/t/{UNKNOWN}/a/noarch/x-{n}.conda\n" for n in range(5000))
    path = shell.write(at_project / "urls.txt", lines)
    assert len(shell("audit", ".", "--json").json) == 5000
    assert shell("audit", ".", "--fix", "--yes").code == 0
    assert UNKNOWN not in path.read_text()


def test_table_of_findings_names_the_organization(acme: Shell) -> None:
    value = user_store(Settings()).secret(user_store(Settings()).tokens()[0].key).reveal()
    (acme.home / "notes").write_text(f"{acme.sandbox.repo}t/{value}/acme/main\n")
    header, row = acme("audit", str(acme.home / "notes")).out.splitlines()
    columns = dict(zip(header.split("\t"), row.split("\t"), strict=True))
    assert columns["organization"] == "acme"
