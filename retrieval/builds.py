"""How a workspace folder changes: a build is written aside, checked in, and becomes current in one step.

    FOLDER/current.json        which build is current, and its manifest
    FOLDER/builds/<id>/        the builds: the current one and the one before
    FOLDER/builds/<id>.tmp/    a build being written; without a running builder, garbage
    FOLDER/build.lock          held while building: builders take turns, the last one wins

A process killed at any moment leaves `current.json` pointing at a complete build.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from retrieval.errors import WorkspaceError

FORMAT = 2
"""Version of the folder's layout; a workspace of another format is built again."""

_BUILD_ID = re.compile(r"\d{8}T\d{6}-[0-9a-f]{8}")
_CHUNK = 1 << 20


@dataclass(frozen=True)
class FileRecord:
    """A file of a build as it was checked in: bytes and sha256 (hex)."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a build is. `files`: path inside the build -> record. `seconds`: how long each stage took.

    `source` says what it was built from, `encoder` names the text encoder, `created` is UTC in ISO 8601.
    """

    format: int
    build: str
    version: str
    created: str
    source: str
    encoder: str
    counts: Mapping[str, int]
    fingerprints: Mapping[str, str]
    seconds: Mapping[str, float]
    files: Mapping[str, FileRecord]


@contextmanager
def build_lock(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; waits for another builder. The system frees it when the holder dies."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "build.lock", "a+b") as file:
        _lock(file)
        yield


def _lock(file: IO[bytes]) -> None:
    if sys.platform == "win32":
        import msvcrt

        while True:
            try:
                return msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
            except OSError:
                time.sleep(0.2)  # LK_LOCK gives up after ten seconds
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)


def new_build(folder: Path) -> Path:
    """An empty folder to write the next build into; removes what dead builders left. Needs the lock."""
    builds = folder / "builds"
    builds.mkdir(exist_ok=True)
    for stale in builds.iterdir():
        if stale.suffix == ".tmp" and _BUILD_ID.fullmatch(stale.stem):
            shutil.rmtree(stale)
    build = time.strftime("%Y%m%dT%H%M%S", time.gmtime()) + "-" + secrets.token_hex(4)
    written = builds / f"{build}.tmp"
    written.mkdir()
    return written


def publish(folder: Path, written: Path, manifest: Manifest) -> None:
    """Make a finished build the current one, durably, and remove all others but the one before."""
    previous = _current_build(folder)
    _sync_tree(written)
    os.replace(written, folder / "builds" / manifest.build)
    _sync(folder / "builds")
    replace_file(folder / "current.json", json.dumps(asdict(manifest), indent=1))
    for build in (folder / "builds").iterdir():
        if _BUILD_ID.fullmatch(build.name) and build.name not in (manifest.build, previous):
            shutil.rmtree(build)


def replace_file(path: Path, content: str) -> None:
    """Give a file new content so that a reader sees the old or the new, also after a power cut."""
    beside = path.with_name(path.name + ".tmp")
    with open(beside, "w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
    _sync(path.parent)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the current build. Raises WorkspaceError when there is none that can be read."""
    path = folder / "current.json"
    try:
        stored = json.loads(path.read_text("utf-8"))
        found = stored.get("format")
        if found != FORMAT:
            raise WorkspaceError(f"{path} has format {found!r}, this version reads {FORMAT}.")
        files = {name: FileRecord(**record) for name, record in stored.pop("files").items()}
        manifest = Manifest(**stored, files=files)
        if not _BUILD_ID.fullmatch(manifest.build) or any(not _inside(name) for name in files):
            raise ValueError("it points outside the workspace")
    except FileNotFoundError:
        raise WorkspaceError(f"{folder} is not a workspace: it has no current.json.") from None
    except OSError as problem:
        raise WorkspaceError(f"{path} cannot be read: {problem.strerror}.") from None
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        raise WorkspaceError(f"{path} is damaged: {problem}.") from None
    return manifest


def record_files(build: Path) -> dict[str, FileRecord]:
    """Size and sha256 of every file of a build, by path inside it."""
    files = sorted(path for path in build.rglob("*") if path.is_file())
    return {path.relative_to(build).as_posix(): FileRecord(*_measure(path)) for path in files}


def damaged_files(build: Path, files: Mapping[str, FileRecord]) -> tuple[str, ...]:
    """The recorded files that are missing or no longer what was checked in."""
    return tuple(name for name, record in files.items() if not _intact(build / name, record))


def _intact(path: Path, record: FileRecord) -> bool:
    try:
        return path.stat().st_size == record.size and _measure(path) == (record.size, record.sha256)
    except OSError:
        return False


def _measure(path: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()


def _inside(name: str) -> bool:
    path = Path(name)
    return not path.is_absolute() and ".." not in path.parts


def _current_build(folder: Path) -> str | None:
    try:
        return read_manifest(folder).build
    except WorkspaceError:
        return None


def _sync_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    if sys.platform == "win32":
        return  # directories cannot be opened there, and files only for writing
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
