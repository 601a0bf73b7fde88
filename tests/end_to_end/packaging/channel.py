"""A channel of real packages, made offline from the distributions in this environment.

The package `python` has links to this interpreter, and a `pyvenv.cfg` that makes the environment
its `sys.prefix`. Every other package is an installed distribution, packed again with its files,
dependencies and entry points. So a conda that is installed from here is a real one.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
import tarfile
from dataclasses import dataclass, field
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath
from typing import Any

from conda_package_streaming.create import conda_builder
from packaging.requirements import Requirement

VERSION = ".".join(str(part) for part in sys.version_info[:3])
HOST = ("conda", "pip", "hatchling")
"""The distributions of a base environment, and those that build the plugin."""
SOLVER = "conda-rattler-solver"
ENTRY_POINTS = {
    # pip's own entry point refuses to do anything but `conda init` (conda.cli.main_pip).
    "conda": ["conda = conda.cli:main"],
}


@dataclass(frozen=True, slots=True)
class Channel:
    """A folder that conda reads as a channel."""

    folder: Path
    records: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Return the address of the channel."""
        return self.folder.as_uri()

    def index(self) -> None:
        """Write the repodata of every subdir."""
        for subdir in ("noarch", platform()):
            held = self.records.get(subdir, {})
            index = {"info": {"subdir": subdir}, "packages": {}, "packages.conda": held}
            (self.folder / subdir).mkdir(parents=True, exist_ok=True)
            (self.folder / subdir / "repodata.json").write_text(json.dumps(index))

    def add_python(self) -> None:
        """Add the package `python`."""
        minor = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        real = Path(sys.executable).resolve()
        links = {f"bin/{name}": str(real) for name in ("python", "python3", minor)}
        home = f"home = {real.parent}\nversion = {VERSION}\n".encode()
        about = {"name": "python", "version": VERSION, "build": "0_links", "subdir": platform()}
        self._add(about, files={"pyvenv.cfg": home}, links=links)

    def add_empty(self, name: str) -> None:
        """Add a package without files, for a dependency that this Python does not need."""
        about = {"name": name, "version": "99", "build": "0_empty", "subdir": "noarch"}
        self._add(about, files={})

    def add(self, *names: str) -> None:
        """Add the distributions of these names, and all that they depend on."""
        waiting, seen = list(names), set[str]()
        while waiting:
            name = waiting.pop().lower()
            if name not in seen:
                seen.add(name)
                waiting += self._add_distribution(distribution(name))

    def _add_distribution(self, packed: Distribution) -> list[str]:
        name = packed.metadata["Name"].lower()
        depends = _dependencies(packed)
        about: dict[str, Any] = {"name": name, "version": packed.version, "build": "py_0"}
        about |= {"subdir": "noarch", "noarch": "python", "depends": ["python", *depends]}
        scripts = [
            f"{e.name} = {e.value}" for e in packed.entry_points.select(group="console_scripts")
        ]
        noarch = {"type": "python", "entry_points": ENTRY_POINTS.get(name, scripts)}
        link = {"noarch": noarch, "package_metadata_version": 1}
        self._add(about, files=_files(packed), info={"link.json": link})
        return depends

    def _add(
        self,
        about: dict[str, Any],
        *,
        files: dict[str, bytes],
        links: dict[str, str] | None = None,
        info: dict[str, Any] | None = None,
    ) -> None:
        index = {"build_number": 0, "depends": []} | about
        stem = f"{about['name']}-{about['version']}-{about['build']}"
        place = self.folder / about["subdir"]
        place.mkdir(parents=True, exist_ok=True)
        paths = {"paths": _paths(files, links or {}), "paths_version": 1}
        documents = {"index.json": index, "paths.json": paths, **(info or {})}
        with conda_builder(stem, place, compression_level=1) as archive:
            for name, document in documents.items():
                _write(archive, f"info/{name}", json.dumps(document).encode())
            for name, data in files.items():
                _write(archive, name, data)
            for name, target in (links or {}).items():
                _link(archive, name, target)
        package = place / f"{stem}.conda"
        digest = hashlib.sha256(package.read_bytes()).hexdigest()
        record = index | {"sha256": digest, "size": package.stat().st_size}
        self.records.setdefault(about["subdir"], {})[package.name] = record


def made(folder: Path) -> Channel:
    """Return a channel with Python, this conda, its solver, and what runs and builds the plugin."""
    channel = Channel(folder)
    channel.add_python()
    channel.add(*HOST, *dependencies(), *([SOLVER] if _installed(SOLVER) else []))
    if not _installed("tomli"):  # only Python 3.10 needs it, and the recipes depend on it
        channel.add_empty("tomli")
    channel.index()
    return channel


def dependencies() -> list[str]:
    """Return the dependencies of the plugin."""
    return _dependencies(distribution("conda-token-plugin"))


def platform() -> str:
    """Return the name of this machine's subdir."""
    from conda.base.context import context

    return str(context.subdir)


def _dependencies(packed: Distribution) -> list[str]:
    """Return the names of the installed distributions that a distribution needs."""
    wanted = [Requirement(text) for text in packed.requires or ()]
    names = [w.name for w in wanted if w.marker is None or w.marker.evaluate({"extra": ""})]
    return [found for name in names if (found := _installed(name))]


def _installed(name: str) -> str:
    try:
        return str(distribution(name).metadata["Name"].lower())
    except PackageNotFoundError:  # conda's metadata names some that are optional
        return ""


def _files(packed: Distribution) -> dict[str, bytes]:
    """Return the files in site-packages, without compiled Python and the origin of the package."""
    return {
        f"site-packages/{path.as_posix()}": Path(str(packed.locate_file(path))).read_bytes()
        for path in packed.files or ()
        if ".." not in path.parts
        and "__pycache__" not in path.parts
        and path.name != "direct_url.json"
    }


def _paths(files: dict[str, bytes], links: dict[str, str]) -> list[dict[str, Any]]:
    hard = [
        {
            "_path": name,
            "path_type": "hardlink",
            "sha256": hashlib.sha256(data).hexdigest(),
            "size_in_bytes": len(data),
        }
        for name, data in files.items()
    ]
    return hard + [{"_path": name, "path_type": "softlink"} for name in links]


def _write(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    member.mode = 0o755 if PurePosixPath(name).suffix == ".so" else 0o644
    archive.addfile(member, io.BytesIO(data))


def _link(archive: tarfile.TarFile, name: str, target: str) -> None:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, target
    archive.addfile(member)
