"""Which scorer a workspace has: one trained for it, the one that ships with the starter films, or none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.errors import WorkspaceError

if TYPE_CHECKING:
    import numpy as np

    from retrieval.catalogue import Catalogue
    from retrieval.conversational import Conversational
    from retrieval.encoder import Encoder

SCORER = "scorer"
"""Folder of the trained scorer inside a workspace."""

PACKAGED = Path(__file__).parent / "starter" / SCORER


@dataclass(frozen=True, slots=True)
class Scoring:
    """The scorer, or None where fusion has the last word; `fault`: why a scorer that is there is not used."""

    scorer: Conversational | None = None
    fault: str = ""


def open_scoring(folder: Path, catalogue: Catalogue, encoder: Encoder, texts: np.ndarray) -> Scoring:
    """Read the scorer in `folder`. A damaged one, or another catalogue's, is left alone and named in `fault`.

    `texts`: the encoder's vectors of all items, float32 [n_items, d].
    """
    if not folder.is_dir():
        return Scoring()
    from retrieval.conversational import Conversational
    from retrieval.scorer import LearnedScorer
    from retrieval.signals.listener import Layers

    try:
        model = LearnedScorer.load(folder, catalogue, encoder, texts, Layers.packaged)
        return Scoring(Conversational(catalogue, model))
    except WorkspaceError as problem:
        return Scoring(fault=str(problem))
    except (ImportError, OSError) as problem:  # LightGBM without the OpenMP library of the system
        return Scoring(fault=f"LightGBM, which the scorer runs on, cannot be loaded ({problem}).")


def scorer_folder(workspace: Path, starter: bool) -> Path:
    """The workspace's own scorer; for the starter films, the packaged one until another is trained."""
    own = workspace / SCORER
    return PACKAGED if starter and not own.is_dir() else own
