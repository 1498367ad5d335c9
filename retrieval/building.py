"""Building a workspace, and repairing one whose indexes are damaged; both publish in one step at the end."""

from __future__ import annotations

import importlib.metadata
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval import builds
from retrieval.builds import Manifest
from retrieval.errors import WorkspaceError
from retrieval.indexes import INDEXES, SELF_CHECKED, build_missing
from retrieval.snapshot import REJECTED, Snapshot, write_snapshot

if TYPE_CHECKING:
    from retrieval.catalogue import CatalogueRead
    from retrieval.encoder import Encoder
    from retrieval.indexes import Progress
    from retrieval.interactions import InteractionsRead
    from retrieval.knowledge import Link


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Hold the build lock of `folder`. Raises WorkspaceError when it cannot be written."""
    try:
        with builds.build_lock(folder):
            yield
    except OSError as problem:
        raise WorkspaceError(
            f"The workspace {folder} cannot be written: {problem.strerror or problem}. "
            "Whatever it served before, it still serves."
        ) from problem


def build(
    folder: Path,
    catalogue_read: CatalogueRead,
    interactions_read: InteractionsRead | None,
    links: Sequence[Link],
    encoder: Encoder,
    progress: Progress | None,
    source: str,
) -> tuple[Manifest, Snapshot]:
    """Write a build and make it the current one. The caller holds the lock."""
    with _new_build(folder) as written:
        snapshot, counts = write_snapshot(written, catalogue_read, interactions_read, links)
        seconds = build_missing(written, snapshot, encoder, progress)
        manifest = _manifest(written, snapshot, encoder.name, source, counts, seconds)
        _publish(folder, written, manifest)
    return manifest, snapshot


def repair(folder: Path, encoder: Encoder) -> Manifest:
    """Build damaged indexes again from the snapshot, and take over all else. The caller holds the lock."""
    former, damaged = check(folder)
    if not damaged:
        return former  # another process repaired it meanwhile
    kept = folder / "builds" / former.build
    with _new_build(folder) as written:
        for path in kept.iterdir():
            if path.is_dir() and path.name not in damaged:
                shutil.copytree(path, written / path.name)
            elif path.is_file():
                shutil.copy2(path, written)
        snapshot = Snapshot.load(written)
        seconds = {**former.seconds, **build_missing(written, snapshot, encoder, None)}
        manifest = _manifest(written, snapshot, encoder.name, former.source, former.counts, seconds)
        _publish(folder, written, manifest)
    return manifest


def check(folder: Path) -> tuple[Manifest, frozenset[str]]:
    """The manifest of the current build, and the names of its damaged indexes.

    Raises WorkspaceError when there is no workspace or a file of its snapshot is damaged.
    """
    try:
        manifest = builds.read_manifest(folder)
    except WorkspaceError as problem:
        raise WorkspaceError(f"{problem} {rebuild_advice(folder)}") from None
    damaged = builds.damaged_files(folder / "builds" / manifest.build, manifest.files)
    lost = [name for name in damaged if name.split("/", 1)[0] not in INDEXES]
    if lost and builds.read_manifest(folder).build != manifest.build:
        return check(folder)  # replaced while it was being read
    if lost:
        path = folder / "builds" / manifest.build / lost[0]
        raise WorkspaceError(f"{path} is missing or damaged. {rebuild_advice(folder, manifest.source)}")
    return manifest, frozenset(name.split("/", 1)[0] for name in damaged)


def check_encoder(folder: Path, manifest: Manifest, encoder: Encoder) -> None:
    """Raise WorkspaceError unless the vectors of the build were made by `encoder`."""
    if encoder.name != manifest.encoder:
        raise WorkspaceError(
            f"{folder} was built with the text encoder {manifest.encoder!r}, not with {encoder.name!r}. "
            + rebuild_advice(folder, manifest.source)
        )


def rebuild_advice(folder: Path, source: str = "") -> str:
    """What to do about a workspace that cannot be used."""
    command = (
        source if source.startswith("tastebud ") else f"tastebud index --catalogue FILE --workspace {folder}"
    )
    return f"Build it again: {command}"


@contextmanager
def _new_build(folder: Path) -> Iterator[Path]:
    written = builds.new_build(folder)
    try:
        yield written
    finally:
        # After publishing it is gone from here; otherwise the build failed.
        shutil.rmtree(written, ignore_errors=True)


def _publish(folder: Path, written: Path, manifest: Manifest) -> None:
    rejected = (written / REJECTED).read_text("utf-8")
    builds.publish(folder, written, manifest)
    builds.replace_file(folder / REJECTED, rejected)


def _manifest(
    written: Path,
    snapshot: Snapshot,
    encoder: str,
    source: str,
    counts: Mapping[str, int],
    seconds: Mapping[str, float],
) -> Manifest:
    fingerprints = {"catalogue": snapshot.catalogue.fingerprint}
    if snapshot.interactions is not None:
        fingerprints["interactions"] = snapshot.interactions.fingerprint
    files = {
        name: record
        for name, record in builds.record_files(written).items()
        if not name.startswith(SELF_CHECKED)
    }
    return Manifest(
        format=builds.FORMAT,
        build=written.stem,
        version=_version(),
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        source=source,
        encoder=encoder,
        counts=counts,
        fingerprints=fingerprints,
        seconds=seconds,
        files=files,
    )


def _version() -> str:
    try:
        return importlib.metadata.version("tastebud")
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
