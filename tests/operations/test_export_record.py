"""The record of exports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from conda_token_plugin.operations.export_record import ExportRecord, Record
from conda_token_plugin.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


def test_record_of_an_earlier_version_is_read_with_the_present_names(tmp_path: Path) -> None:
    facts = {
        "target": "rattler",
        "place": "/home/ann/.rattler/credentials.json",
        "key": "repo.example",
        "organization": "acme",
        "token": "acme@https://repo.example/repo/acme",
        "mark": "12ab",
    }
    before = {**facts, "former": "34cd", "made": "/home/ann/.rattler"}
    folder = tmp_path / "exports"
    folder.mkdir(mode=0o700)
    (folder / "exports.json").write_text(json.dumps({"version": 1, "exports": [before]}))
    (folder / "exports.json").chmod(0o600)

    records = ExportRecord(Settings({"CONDA_TOKEN_HOME": str(tmp_path)})).records()

    assert records == (Record(**facts, former_mark="34cd", created="/home/ann/.rattler"),)
