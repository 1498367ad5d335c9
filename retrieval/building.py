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
from retrieval.changes import Changes, changed
from retrieval.errors import WorkspaceError
from retrieval.indexes import INDEXES, SELF_CHECKED, build_missing
from retrieval.snapshot import (
    REJECTED,
    Former,
    Snapshot,
    read_snapshot_links,
    save_snapshot,
    write_snapshot,
)

if TYPE_CHECKING:
    from retrieval.catalogue import CatalogueRead
    from retrieval.encoder import Encoder
    from retrieval.indexes import Progress
    from retrieval.interactions import InteractionsRead
    from retrieval.knowledge import Link
    from retrieval.looks import LooksRead


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
    looks_read: LooksRead | None = None,
) -> tuple[Manifest, Snapshot]:
    """Write a build and make it the current one. The caller holds the lock."""
    with _new_build(folder) as written:
        snapshot, counts = write_snapshot(written, catalogue_read, interactions_read, links, looks_read)
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


def change(
    folder: Path, changes: Changes, encoder: Encoder, progress: Progress | None
) -> tuple[Manifest, Snapshot]:
    """Write a build of the current items with the changes and make it current. The caller holds the lock.

    Without any difference there is no new build. Raises UnknownItemError and CatalogueError for changes that
    cannot be made, and then leaves everything as it was.
    """
    manifest, _ = check(folder)
    check_encoder(folder, manifest, encoder)
    manifest = repair(folder, encoder)
    kept = folder / "builds" / manifest.build
    before = Snapshot.load(kept)
    snapshot, links = changed(before, read_snapshot_links(kept), changes)
    same_looks = snapshot.looks.same(before.looks) if snapshot.looks else before.looks is None
    if same_looks and snapshot.catalogue.items == before.catalogue.items:
        return manifest, before
    with _new_build(folder) as written:
        save_snapshot(written, snapshot, links)
        shutil.copy2(kept / REJECTED, written)
        seconds = build_missing(written, snapshot, encoder, progress, Former(kept, before))
        counts = _counts_after(manifest.counts, snapshot, len(links))
        manifest = _manifest(written, snapshot, manifest.encoder, manifest.source, counts, seconds)
        _publish(folder, written, manifest)
    return manifest, snapshot


def _counts_after(counts: Mapping[str, int], snapshot: Snapshot, links: int) -> dict[str, int]:
    """The counts of a changed build: what was read before counts as read, less what is no longer there."""
    found = {"items": len(snapshot.catalogue), "links": links}
    if "interactions" in counts:
        interactions = snapshot.interactions
        found["users"] = len(interactions.users) if interactions is not None else 0
        found["interactions"] = interactions.matrix.nnz if interactions is not None else 0
        found["interactions_read"] = (
            counts["interactions_read"] + found["interactions"] - counts["interactions"]
        )
    looks = len(snapshot.looks.ids) if snapshot.looks is not None else 0
    if looks or "looks" in counts:
        found["looks_read"] = counts.get("looks_read", 0) + looks - counts.get("looks", 0)
        found["looks"] = looks
    found["items_read"] = counts["items_read"] + found["items"] - counts["items"]
    return {**counts, **found, "changes": counts.get("changes", 0) + 1}


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
        raise WorkspaceError(f"{path} is missing or damaged. {_advice(folder, manifest)}")
    return manifest, frozenset(name.split("/", 1)[0] for name in damaged)


def check_encoder(folder: Path, manifest: Manifest, encoder: Encoder) -> None:
    """Raise WorkspaceError unless the vectors of the build were made by `encoder`."""
    if encoder.name != manifest.encoder:
        raise WorkspaceError(
            f"{folder} was built with the text encoder {manifest.encoder!r}, not with {encoder.name!r}. "
            + _advice(folder, manifest)
        )


def rebuild_advice(folder: Path, source: str = "") -> str:
    """What to do about a workspace that cannot be used."""
    command = (
        source if source.startswith("tastebud ") else f"tastebud index --catalogue FILE --workspace {folder}"
    )
    return f"Build it again: {command}"


def _advice(folder: Path, manifest: Manifest) -> str:
    again = " (and then add and remove again what was since)" if manifest.counts.get("changes") else ""
    return rebuild_advice(folder, manifest.source) + again


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
