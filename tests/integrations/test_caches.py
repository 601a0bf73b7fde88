"""conda's index caches of a token's channels are cleared, and those of other channels kept."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from conda_token_plugin.integrations.conda.caches import (
    folders,
    forget,
    name_of,
    note_refused,
)
from conda_token_plugin.settings import Settings

ACME = "https://repo.example/repo/acme"
OTHER = "https://repo.example/repo/acme-evil"
MEMBERS = (".json", ".info.json", ".msgpack.zst", "1.json", ".solv")


@pytest.fixture(autouse=True)
def no_conda_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove conda's context, as in ``conda-token-plugin``, which loads no conda."""
    monkeypatch.delitem(sys.modules, "conda.base.context", raising=False)


@pytest.fixture
def settings(empty_home: Path, tmp_path: Path) -> Settings:
    """Return settings with a home folder, a package cache and a store."""
    (tmp_path / "pkgs" / "cache").mkdir(parents=True)
    (tmp_path / "store").mkdir()
    return Settings(
        {
            "HOME": str(empty_home),
            "CONDA_PKGS_DIRS": str(tmp_path / "pkgs"),
            "CONDA_TOKEN_HOME": str(tmp_path / "store"),
        }
    )


def cached(settings: Settings, subdir: str, *, url: str = "", index: str = "") -> set[Path]:
    """Write the cache files of a subdir; with ``url``, as after a download of the index."""
    folder = Path(settings.variables["CONDA_PKGS_DIRS"]) / "cache"
    files = {folder / f"{name_of(subdir, index=index)}{end}" for end in MEMBERS}
    for path in files:
        path.write_text(json.dumps({"url": url} if url else {"has_zst": {"value": False}}))
    return files


def test_name_of_a_cache_is_the_one_that_conda_computes() -> None:
    # conda.gateways.repodata.cache_fn_url; tests/end_to_end/conda compares with conda itself.
    assert name_of("https://conda.anaconda.org/conda-forge/noarch") == "09cdf8bf"


@pytest.mark.parametrize("channel", [ACME, f"{ACME}/main"])
@pytest.mark.parametrize("index", ["", "current_repodata.json"])
def test_forget_clears_the_usual_channels_by_their_names(
    settings: Settings, channel: str, index: str
) -> None:
    files = cached(settings, f"{channel}/linux-64", index=index)
    others = cached(settings, f"{OTHER}/main/linux-64", index=index)

    assert set(forget([ACME], settings=settings)) == files
    assert all(path.exists() for path in others)


def test_forget_finds_a_downloaded_index_by_the_url_in_its_state(settings: Settings) -> None:
    downloaded = f"{ACME}/downloaded/noarch"
    files = cached(settings, downloaded, url=downloaded)
    kept = cached(settings, f"{OTHER}/x/noarch", url=f"{OTHER}/x/noarch")

    assert set(forget([ACME], settings=settings)) == files
    assert all(path.exists() for path in kept)


@pytest.mark.parametrize(
    "text",
    [
        f"channels:\n- {ACME}/strange\n",
        f"channels: [{ACME}/strange/, defaults]\n",
        f'default_channels: ["{ACME}/strange"]\n',
        "channel_alias: https://repo.example/repo\nchannels:\n- acme/strange\n",
        f"custom_channels:\n  strange: {ACME}\n",
        "custom_multichannels:\n  all: ['https://ann:pw@repo.example/repo/acme/strange']\n",
    ],
)
@pytest.mark.parametrize("file", [".condarc", ".conda/condarc.d/mine.yml"])
def test_forget_finds_a_channel_that_a_condarc_names(
    settings: Settings, text: str, file: str
) -> None:
    path = settings.home / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    files = cached(settings, f"{ACME}/strange/noarch")

    assert set(forget([ACME], settings=settings)) == files


@pytest.mark.parametrize("variable", ["CONDA_PREFIX", "CONDA_ROOT", "MAMBA_ROOT_PREFIX"])
def test_forget_finds_a_channel_named_only_in_the_condarc_of_a_prefix(
    settings: Settings, tmp_path: Path, variable: str
) -> None:
    path = tmp_path / "prefix" / ".condarc"
    path.parent.mkdir()
    path.write_text(f"channels: [{ACME}/strange]\n")
    files = cached(settings, f"{ACME}/strange/noarch")

    active = Settings({**settings.variables, variable: str(path.parent)})
    assert set(forget([ACME], settings=active)) == files


def test_forget_clears_a_channel_that_refused_and_its_note(
    settings: Settings,
) -> None:
    folder = settings.store_folder
    for url in (f"{ACME}/typed/noarch/shards/ab.msgpack.zst", f"{OTHER}/typed/noarch/x.conda"):
        note_refused(url, folder=folder)
    files = cached(settings, f"{ACME}/typed/osx-arm64")

    assert set(forget([ACME], settings=settings)) == files
    assert json.loads((folder / "refused.json").read_text()) == [f"{OTHER}/typed"]
    forget([OTHER], settings=settings)
    assert not (folder / "refused.json").exists()


def test_note_has_each_channel_once_and_no_secret(settings: Settings) -> None:
    folder = settings.store_folder
    for name in ("repodata.json", "repodata.json.zst"):
        note_refused(f"https://ann:secret-1@repo.example/t/secret-2/x/noarch/{name}", folder=folder)

    assert json.loads((folder / "refused.json").read_text()) == ["https://repo.example/x"]


def test_notes_are_limited_to_the_latest_500(settings: Settings) -> None:
    for number in range(510):
        note_refused(f"{ACME}/{number}/noarch/repodata.json", folder=settings.store_folder)

    noted = json.loads((settings.store_folder / "refused.json").read_text())
    assert len(noted) == 500
    assert noted[-1] == f"{ACME}/509"


@pytest.mark.parametrize("content", ["", "{", '{"a": 1}', "[1, null]", "\0"])
def test_unreadable_note_and_cache_are_ignored(settings: Settings, content: str) -> None:
    (settings.store_folder / "refused.json").write_text(content)
    (folders(settings)[0] / "12345678.info.json").write_text(content)

    assert forget([ACME], settings=settings) == ()
    note_refused(f"{ACME}/main/noarch/repodata.json", folder=settings.store_folder)
    assert json.loads((settings.store_folder / "refused.json").read_text())[-1] == f"{ACME}/main"


def test_note_without_a_store_and_forget_without_a_cache_change_nothing(
    tmp_path: Path, empty_home: Path
) -> None:
    note_refused(f"{ACME}/main/noarch/repodata.json", folder=tmp_path / "nowhere")

    assert not (tmp_path / "nowhere").exists()
    nowhere = Settings({"HOME": str(empty_home), "CONDA_TOKEN_HOME": str(tmp_path / "nowhere")})
    assert forget([ACME], settings=nowhere) == ()
