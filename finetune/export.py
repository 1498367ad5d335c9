"""An adapter made ready to serve elsewhere: merged into the packaged model, and as one GGUF file.

The agent does this by itself on first use; these are for whoever wants the files, for llama.cpp or Ollama.
"""

from __future__ import annotations

from pathlib import Path

from agent.model import assets
from agent.model import export as formats


def merge(adapter: str | Path, folder: str | Path) -> None:
    """Write the packaged model with a PEFT adapter merged into it to `folder`, as bf16 safetensors.

    Raises ModelError if the adapter cannot be read or merged, WorkspaceError without the packaged model.
    """
    formats.merge(Path(adapter), Path(folder), base=assets.model_folder())


def write_gguf(folder: str | Path, file: str | Path) -> None:
    """Write a model folder that `merge` made as GGUF Q8_0. Raises ModelError for other architectures."""
    formats.write_gguf(Path(folder), Path(file), like=assets.packaged_gguf())


def export(adapter: str | Path, destination: str | Path) -> Path:
    """Merge an adapter and write both forms into `destination`: a model folder with model.gguf inside.

    Returns the GGUF file. Raises what `merge` and `write_gguf` raise.
    """
    folder = Path(destination)
    folder.mkdir(parents=True, exist_ok=True)
    merge(adapter, folder)
    file = folder / "model.gguf"
    write_gguf(folder, file)
    return file
