"""Images to vectors by a CLIP (Radford et al., ICML 2021) that lies on disk; nothing is ever downloaded."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from retrieval.errors import WorkspaceError

if TYPE_CHECKING:
    from PIL.Image import Image


class ClipEncoder:
    """Any CLIP that sentence-transformers can open from a folder with safetensors weights.

    Raises WorkspaceError when the folder holds no such model. The weights are read on opening.
    """

    def __init__(self, folder: Path) -> None:
        weights = sorted(folder.rglob("*.safetensors"))
        if not weights:
            raise WorkspaceError(
                f"{folder} holds no weights as .safetensors: give the folder of a CLIP model for "
                "sentence-transformers (or transformers), such as clip-ViT-B-32."
            )
        from sentence_transformers import SentenceTransformer

        try:
            self._model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
            takes_images = self._model.supports("image")
        except (OSError, ValueError, KeyError, RuntimeError, ImportError) as problem:
            raise WorkspaceError(
                f"The image encoder {folder} cannot be opened: {str(problem)[:300]}"
            ) from None
        if not takes_images:
            raise WorkspaceError(f"The model in {folder} does not take images: give the folder of a CLIP.")
        digest = hashlib.sha256()
        for path in weights:
            digest.update(path.read_bytes())
        self.name = f"{folder.resolve().name} {digest.hexdigest()[:12]}"

    def encode(self, images: Sequence[Image]) -> np.ndarray:
        """Float32 [n_images, d], of unit length."""
        found = self._model.encode(list(images), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(found, dtype=np.float32)
