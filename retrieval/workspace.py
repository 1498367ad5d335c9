"""One folder that holds everything a recommender serves from: catalogue, interactions and their indexes.

Besides what `retrieval.builds` keeps there, the conversations live in `FOLDER/tastebud.db`, outside the
builds, so that indexing again loses none of them.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.catalogue import Catalogue, CatalogueRead
from retrieval.changes import Changes
from retrieval.errors import WorkspaceError
from retrieval.interactions import Interactions, InteractionsRead
from retrieval.scoring import scorer_folder
from retrieval.snapshot import Snapshot

if TYPE_CHECKING:
    from retrieval.builds import Manifest
    from retrieval.collaborative import CollaborativeRetriever
    from retrieval.dense import DenseRetriever
    from retrieval.encoder import Encoder
    from retrieval.indexes import Progress
    from retrieval.knowledge import KnowledgeRetriever, Link
    from retrieval.looks import LooksRead
    from retrieval.ranker import Ranker
    from retrieval.retriever import Retriever
    from retrieval.sources import Sources
    from retrieval.types import Item

DATABASE = "tastebud.db"


class Workspace:
    """An opened workspace, from `open`, `build` or `open_starter`; safe to share between threads.

    `folder`, `manifest`, `snapshot` and, out of it, `catalogue` and `interactions` (None when built without
    any) are there at once. The encoder and the retrievers are loaded when they are first asked for.
    """

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        snapshot: Snapshot,
        encoder: Encoder | None = None,
        without: Iterable[str] = (),
    ) -> None:
        self.folder = folder
        self.manifest = manifest
        self.snapshot = snapshot
        self.catalogue: Catalogue = snapshot.catalogue
        self.interactions: Interactions | None = snapshot.interactions
        self._without = frozenset(without)
        self._encoder = encoder
        self._sources: Sources | None = None
        self._loading = threading.RLock()

    @classmethod
    def build(
        cls,
        folder: Path,
        catalogue_read: CatalogueRead,
        interactions_read: InteractionsRead | None = None,
        links: Sequence[Link] = (),
        encoder: Encoder | None = None,
        progress: Progress | None = None,
        source: str = "",
        looks_read: LooksRead | None = None,
    ) -> Workspace:
        """Build a workspace in `folder`, replacing what was current there in one step at the very end.

        Until then, and when the build fails or is killed, the folder serves what it did. `encoder` is
        the packaged one unless given. `source` is kept in the manifest: the command or edition that it
        comes from. Raises WorkspaceError when the folder cannot be written.
        """
        from retrieval import building

        folder, encoder = Path(folder), encoder or _packaged_encoder()
        with building.writing(folder):
            manifest, snapshot = building.build(
                folder, catalogue_read, interactions_read, links, encoder, progress, source, looks_read
            )
        return cls(folder, manifest, snapshot, encoder)

    @classmethod
    def open(cls, folder: Path, encoder: Encoder | None = None, without: Iterable[str] = ()) -> Workspace:
        """Open the current build, after comparing every file with its sha256.

        A damaged index is built again from the snapshot. `without`: names of sources that are switched off.
        Raises WorkspaceError when there is no workspace, when the snapshot itself is damaged, when `encoder`
        is not the one it was built with, and for a name that no source has.
        """
        from retrieval import building
        from retrieval.sources import checked

        folder, off = Path(folder), checked(without)
        manifest, damaged = building.check(folder)
        if encoder is not None:
            building.check_encoder(folder, manifest, encoder)
        if damaged:
            encoder = encoder or _packaged_encoder()
            building.check_encoder(folder, manifest, encoder)
            with building.writing(folder):
                manifest = building.repair(folder, encoder)
        return cls(folder, manifest, Snapshot.load(folder / "builds" / manifest.build), encoder, off)

    def add(self, items: Iterable[Item], progress: Progress | None = None) -> Workspace:
        """Add items, or replace those of the same item_id; see `change`."""
        return self.change(Changes(put=tuple(items)), progress)

    def remove(self, item_ids: Iterable[str]) -> Workspace:
        """Remove items, with what people did with them; see `change`."""
        return self.change(Changes(remove=tuple(dict.fromkeys(item_ids))))

    def change(self, changes: Changes, progress: Progress | None = None) -> Workspace:
        """Make changes to what is current in the folder, in one step at the very end; the workspace after it.

        Only new texts are encoded. This object goes on serving what it was opened on; so does the folder
        when the changes fail or are killed. Raises UnknownItemError for an id to remove that is not there,
        CatalogueError for items without title or id, or ids given twice, WorkspaceError when the folder
        cannot be written.
        """
        from retrieval import building

        with building.writing(self.folder):
            manifest, snapshot = building.change(self.folder, changes, self.encoder, progress)
        return Workspace(self.folder, manifest, snapshot, self.encoder, self._without)

    @property
    def outdated(self) -> bool:
        """Whether the folder holds another build by now: open it again to see it."""
        from retrieval.builds import read_manifest

        return read_manifest(self.folder).build != self.manifest.build

    @property
    def database(self) -> Path:
        """Where the conversations are kept. The file need not exist yet."""
        return self.folder / DATABASE

    @property
    def encoder(self) -> Encoder:
        """The text encoder the vectors were made with. Raises WorkspaceError when it is another one."""
        with self._loading:
            if self._encoder is None:
                from retrieval.building import check_encoder

                packaged = _packaged_encoder()
                check_encoder(self.folder, self.manifest, packaged)
                self._encoder = packaged
            return self._encoder

    @property
    def dense(self) -> DenseRetriever:
        return self._loaded().dense

    @property
    def collaborative(self) -> CollaborativeRetriever | None:
        """None when the workspace has no interactions. There even when it is switched off."""
        return self._loaded().collaborative

    @property
    def knowledge(self) -> KnowledgeRetriever:
        return self._loaded().knowledge

    @property
    def retrievers(self) -> list[Retriever]:
        """Every source of candidates there is and that is not switched off."""
        return list(self._loaded().ranker.sources.values())

    @property
    def ranker(self) -> Ranker:
        return self._loaded().ranker

    @property
    def is_starter(self) -> bool:
        """Whether it was built from the films that ship, of whatever edition."""
        return self.manifest.source.startswith("starter films")

    @property
    def scorer_fault(self) -> str:
        """Why the trained scorer is not used, for people to read; empty when it is, or when there is none."""
        return self._loaded().scorer_fault

    def _loaded(self) -> Sources:
        with self._loading:
            if self._sources is None:
                from retrieval.sources import open_sources

                build = self.folder / "builds" / self.manifest.build
                scorer = scorer_folder(self.folder, self.is_starter)
                self._sources = open_sources(build, self.snapshot, self.encoder, scorer, self._without)
            return self._sources


def home() -> Path:
    """Where Tastebud keeps its own files: the environment's TASTEBUD_HOME, or the user's data folder."""
    given = os.environ.get("TASTEBUD_HOME")
    if given:
        return Path(given).expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir("tastebud"))


def starter_folder() -> Path:
    """Folder of the workspace that `open_starter` opens."""
    return home() / "workspaces" / "starter"


def open_starter(
    progress: Progress | None = None, encoder: Encoder | None = None, without: Iterable[str] = ()
) -> Workspace:
    """Open the starter workspace, building it first when it is missing, damaged or of an older edition.

    Processes that find it missing at the same time build it once. `without`: see `Workspace.open`. Raises
    WorkspaceError when the data or the encoder it is built from is not installed.
    """
    from retrieval import building
    from retrieval.starter import edition, starter_sources

    folder = starter_folder()
    current = edition()
    if not _is_edition(folder, current):
        starter = starter_sources()
        encoder = encoder or _packaged_encoder()
        with building.writing(folder):
            if not _is_edition(folder, current):
                building.build(
                    folder,
                    starter.catalogue_read,
                    starter.interactions_read,
                    starter.links,
                    encoder,
                    progress,
                    current,
                )
    return Workspace.open(folder, encoder, without)


def _is_edition(folder: Path, edition: str) -> bool:
    from retrieval.building import check

    try:
        return check(folder)[0].source == edition
    except WorkspaceError:
        return False


def _packaged_encoder() -> Encoder:
    from retrieval.encoder import TextEncoder

    return TextEncoder()
