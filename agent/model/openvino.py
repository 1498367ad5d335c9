"""A local model run by OpenVINO: on two cores three times as fast as transformers, and as exact.

The network is OpenVINO's, the decoding ours, so that grammars and forced tokens work as everywhere else.
Its infer request holds the keys and values of one text as variables, which can be read and set.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import ModelError
from agent.model.decode import Engine, open_tokenizer, padded

# 32 bits cost no time here, as the weights stay in eight and are what is waited for. With 16, logits come
# in steps of an eighth, and eight-bit keys and values would change a little each time they are restored.
_OPTIONS = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32", "KV_CACHE_PRECISION": "f32"}


class OpenVinoEngine(Engine):
    """An Engine over a model folder in OpenVINO's format, such as `assets.openvino_folder` makes."""

    def __init__(self, folder: str | Path) -> None:
        """Raises ModelError if `folder` has no tokenizer, or no model that keeps keys and values itself."""
        openvino = quiet_import("openvino")
        try:
            core = openvino.Core()
            model = core.read_model(Path(folder) / "openvino_model.xml")
            _last_position_only(model)
            self._request: Any = core.compile_model(model, "CPU", _OPTIONS).create_infer_request()
            tokenizer = open_tokenizer(str(folder))
        except (OSError, ValueError, RuntimeError) as error:
            problem = str(error).strip().splitlines()
            raise ModelError(f"Cannot load the OpenVINO model {str(folder)!r}: {problem[-1]}") from error
        super().__init__(tokenizer, Path(folder).name)
        self._tensor = openvino.Tensor
        self._variables = self._request.query_state()
        if not self._variables:
            raise ModelError(f"The OpenVINO model {str(folder)!r} keeps no keys and values.")
        self._length = 0

    def _restore(self, memory: Any | None) -> None:
        if memory is None:
            self._request.reset_state()
            self._length = 0
            return
        self._length, tensors = memory
        for variable, tensor in zip(self._variables, tensors, strict=True):
            variable.state = tensor

    def _save(self) -> Any:
        tensors = [self._tensor(np.array(variable.state.data)) for variable in self._variables]
        return self._length, tensors

    def _forward(self, ids: Sequence[int]) -> NDArray[np.float32]:
        end = self._length + len(ids)
        positions = np.arange(self._length, end, dtype=np.int64)
        logits = self._infer(np.array([ids], np.int64), np.ones((1, end), np.int64), positions[None])
        self._length = end
        return logits[0]

    def _branch(self, rows: Sequence[Sequence[int]], tokens: Sequence[int]) -> NDArray[np.float32]:
        return self._infer(*padded(rows, self._length))[:, list(tokens)]

    def _infer(
        self, ids: NDArray[np.int64], mask: NDArray[np.int64], positions: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Logits after the last column of `ids`: (rows, vocabulary). Every row follows the current text."""
        inputs = {
            "input_ids": ids,
            "attention_mask": mask,
            "position_ids": positions,
            "beam_idx": np.zeros(len(ids), np.int32),  # the row of the kept text that each row goes on from
        }
        for name, array in inputs.items():
            self._request.set_tensor(name, self._tensor(array))
        self._request.infer()
        return self._request.get_output_tensor(0).data[:, -1].copy()


def quiet_import(name: str) -> Any:
    """Import a module of OpenVINO without its telemetry, which would report every import to Google.

    OpenVINO does without the package `openvino_telemetry` where it is missing, so it is made to seem so.
    Import OpenVINO in no other way.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    return import_module(name)


def write_openvino(file: Path, folder: Path) -> None:
    """Turn a GGUF file into OpenVINO's format: openvino_model.xml and .bin in `folder`. About 3 s.

    openvino-genai writes beside the file that it reads, hence the link. Raises ModelError.
    """
    link = folder / "source.gguf"
    link.symlink_to(file.resolve())
    try:
        quiet_import("openvino_genai").LLMPipeline(str(link), "CPU", enable_save_ov_model=True)
    except RuntimeError as error:
        raise ModelError(f"OpenVINO cannot read {str(file)!r}: {str(error).splitlines()[0]}") from error
    link.unlink()
    for tokenizer in folder.glob("openvino_*tokenizer.*"):
        tokenizer.unlink()  # ours is the one of tokenizer.json
    if not (folder / "openvino_model.xml").exists():
        raise ModelError(f"OpenVINO wrote no model from {str(file)!r}.")


def _last_position_only(model: Any) -> None:
    """Let the output layer see the last position only, which halves the time of reading a short prompt."""
    opset13 = quiet_import("openvino.opset13")
    product = model.output(0).get_node().input_value(0).get_node()
    if product.get_type_name() != "MatMul":
        raise ValueError(f"its output is no matrix product but {product.get_type_name()}")
    ends = (np.array([at], np.int64) for at in (-1, np.iinfo(np.int64).max, 1, 1))
    last = opset13.slice(product.input_value(0), *ends)
    product.input(0).replace_source_output(last.output(0))
    model.validate_nodes_and_infer_types()
