"""A workspace that has never met some of its users."""

from __future__ import annotations

import shutil
from pathlib import Path

from retrieval.errors import WorkspaceError
from retrieval.indexes import COLLABORATIVE, build_missing
from retrieval.interactions import Interactions
from retrieval.snapshot import INTERACTIONS, Snapshot
from retrieval.workspace import Workspace


def without_users(workspace: Workspace, users: frozenset[str], folder: Path) -> Workspace:
    """A copy of `workspace` in `folder`, in which `users` have never rated anything.

    All that is computed from interactions (item-item weights, popularity, keenness on facets) is computed
    again from those of the others; text vectors and the knowledge graph, which know no users, are copied.
    A scorer that was trained for the workspace, possibly on them, is left behind.
    What stays: the catalogue's own column `popularity`, which counts everybody where the catalogue file gave
    none. The fusion weights of `retrieval.ranker` were chosen on other data or on training users.
    Raises WorkspaceError where nobody else is left.
    """
    known = workspace.interactions
    assert known is not None
    rows = [row for row, user in enumerate(known.users) if user not in users]
    if not rows:
        raise WorkspaceError(f"{workspace.folder} has no users besides the {len(users)} that are held out.")
    kept = Interactions(
        tuple(known.users[row] for row in rows), known.matrix[rows], known.times[rows], known.explicit
    )
    build = Path("builds") / workspace.manifest.build
    shutil.copytree(workspace.folder / build, folder / build, ignore=shutil.ignore_patterns(COLLABORATIVE))
    kept.save(folder / build / INTERACTIONS)
    snapshot = Snapshot(workspace.catalogue, kept)
    build_missing(folder / build, snapshot, workspace.encoder, None)
    return Workspace(folder, workspace.manifest, snapshot, workspace.encoder)
