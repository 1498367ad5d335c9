"""The text encoder tuned to dialogues, and towers that were trained with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrieval.dialogue import Message
from retrieval.encoder import packaged_model
from retrieval.errors import WorkspaceError
from retrieval.memory import Memory
from retrieval.signals.alignment import Alignment
from retrieval.signals.reading import Reader, Reading
from retrieval.signals.signal import Scores
from retrieval.signals.tower import Tables, aligned, pad, vectors

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

TUNED = 2
"""How many of the encoder's last layers learn; the others' outputs are reckoned once per text."""

RANK = 16
LONGEST = 128
"""Tokens of a dialogue that are read, from its end."""

TOGETHER = 16
REMEMBERED = 1024
"""Dialogues of which it is kept what the encoder made of them."""

WEIGHTS = "listener.safetensors"


def transcript(messages: Sequence[Message]) -> str:
    """The messages with who says them; empty where only names are known."""
    if not any(message.text for message in messages):
        return ""
    says = {"seeker": "asks", "recommender": "answers"}
    return " ".join(f"{says[message.role]}: {message.text}" for message in messages)


class Layers:
    """A text encoder in two halves: layers that stay as they are, and above them `TUNED` that learn by
    adapters of low rank (LoRA, Hu et al., ICLR 2022).
    """

    def __init__(self, model: Any, tokenizer: Any) -> None:
        """`model`: a BERT of transformers, which is changed. `tokenizer`: its own."""
        import torch
        from peft import LoraConfig, inject_adapter_in_model

        total = model.config.num_hidden_layers
        config = LoraConfig(
            r=RANK,
            lora_alpha=RANK,
            target_modules=["query", "key", "value", "dense"],
            layers_to_transform=list(range(total - TUNED, total)),
        )
        self.model: Any = inject_adapter_in_model(config, model.eval())
        self.width: int = model.config.hidden_size
        self._tokenizer = tokenizer
        self._half = torch.cpu._is_avx512_bf16_supported()
        if self._half:  # once, instead of at every call
            for name, one in self.model.named_modules():
                if isinstance(one, torch.nn.Linear) and "lora_" not in name:
                    one.to(torch.bfloat16)

    @classmethod
    def packaged(cls) -> Layers:
        """Those of the packaged MiniLM. Raises WorkspaceError when its weights are not installed."""
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        folder, bars = str(packaged_model()), logging.is_progress_bar_enabled()
        logging.disable_progress_bar()
        try:
            model = AutoModel.from_pretrained(folder, local_files_only=True)
        finally:
            if bars:
                logging.enable_progress_bar()
        return cls(model, AutoTokenizer.from_pretrained(folder, local_files_only=True))

    def tokens(self, text: str) -> list[int]:
        """Numbers of the last tokens, with the marks of beginning and end."""
        found = self._tokenizer(text[-8 * LONGEST :], add_special_tokens=False, verbose=False)["input_ids"]
        return [self._tokenizer.cls_token_id, *found[2 - LONGEST :], self._tokenizer.sep_token_id]

    def lower(self, texts: Sequence[str]) -> list[Tensor]:
        """What the fixed layers make of each text, [tokens, width], in half precision."""
        import torch

        numbers = [torch.tensor(self.tokens(text)) for text in texts]
        found: list[Tensor] = [torch.empty(0)] * len(texts)
        for chosen in batches([len(one) for one in numbers]):
            with torch.no_grad(), self._precision():
                ids, mask = _filled([numbers[index] for index in chosen])
                hidden = self._run(self.model.embeddings(input_ids=ids), mask, slice(0, -TUNED))
            for index, one in zip(chosen, hidden, strict=True):
                found[index] = one[: len(numbers[index])].bfloat16().clone()
        return found

    def upper(self, hidden: Sequence[Tensor], padded: bool = False) -> Tensor:
        """What the layers that learn make of it, [texts, width]: standardised means over tokens, length 1.

        `padded`: whether texts of about the same length go together, as they better do while it learns.
        """
        import torch

        found: list[Tensor] = []
        order: list[int] = []
        for chosen in batches([len(one) for one in hidden], padded):
            with self._precision():
                filled, mask = _filled([hidden[index].float() for index in chosen])
                out = self._run(filled, mask, slice(-TUNED, None)).float()
            mean = (out * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
            found.append(torch.nn.functional.layer_norm(mean, (self.width,)) / self.width**0.5)
            order += chosen
        return torch.cat(found)[torch.tensor(order).argsort()]

    def adapters(self) -> dict[str, nn.Parameter]:
        """What learns, by name."""
        return {name: one for name, one in self.model.named_parameters() if "lora_" in name}

    def _run(self, hidden: Tensor, mask: Tensor, layers: slice) -> Tensor:
        for layer in self.model.encoder.layer[layers]:
            hidden = layer(hidden, mask[:, None, None, :].bool())
        return hidden

    def _precision(self) -> torch.autocast:
        import torch

        return torch.autocast("cpu", torch.bfloat16, enabled=self._half)


class Listener:
    """log P(item is recommended next | dialogue) by towers that also hear the whole dialogue.

    `told` [width, d] turns what the encoder's layers make of the dialogue into a part of its vector.
    """

    name = "tuned encoder"

    def __init__(self, tables: Tables, told: Tensor, layers: Layers, reader: Reader) -> None:
        self._tables, self._told, self._layers = tables, told, layers
        self._recent: Memory[Tensor] = Memory(REMEMBERED)
        self.reader = reader

    def scores(self, messages: Sequence[Message]) -> Scores:
        """Natural logarithms of probabilities that add up to 1 over the catalogue."""
        return self.hear(messages, self.reader.read(messages))

    def hear(self, messages: Sequence[Message], reading: Reading) -> Scores:
        """The same for messages that are read already."""
        import torch

        with torch.inference_mode():
            found = vectors(self._tables, pad([reading]))
            if text := transcript(messages):
                found += torch.stack(self._recent.of([text], self._sounds)) @ self._told
            return torch.log_softmax(found @ self._tables.items.T + self._tables.bias, dim=1)[0].numpy()

    def read_ahead(self, dialogues: Sequence[Sequence[Message]]) -> None:
        """Run the encoder over many dialogues together; it remembers `REMEMBERED` of them."""
        texts = [text for messages in dialogues if (text := transcript(messages))]
        self._recent.of(texts, self._sounds)

    def _sounds(self, texts: list[str]) -> Sequence[Tensor]:
        """What the encoder's layers make of each text, [width]."""
        import torch

        with torch.inference_mode():
            return self._layers.upper(self._layers.lower(texts)).unbind()

    def save(self, folder: Path) -> None:
        """Write tables and adapters (half precision) into an existing folder; the words are the towers'."""
        from safetensors.torch import save_file

        tables = {field.name: getattr(self._tables, field.name) for field in fields(Tables)}
        held = {"told": self._told, **tables, **self._layers.adapters()}
        save_file({name: one.detach().half().contiguous() for name, one in held.items()}, folder / WEIGHTS)

    @classmethod
    def load(cls, folder: Path, layers: Layers, reader: Reader, alignment: Alignment) -> Listener:
        """Read what `save` wrote. Raises WorkspaceError when it is damaged."""
        import torch
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            held = {name: one.float() for name, one in load_file(folder / WEIGHTS).items()}
            tables = aligned(Tables(**{field.name: held[field.name] for field in fields(Tables)}), alignment)
            with torch.no_grad():
                for name, adapter in layers.adapters().items():
                    adapter.copy_(held[name])
            return cls(tables, held["told"], layers, reader)
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as problem:
            raise WorkspaceError(
                f"The tuned encoder's weights in {folder} cannot be read ({problem}). Train the scorer again."
            ) from None


def batches(lengths: Sequence[int], padded: bool = False) -> Iterator[list[int]]:
    """Places of texts of the same length, a few at a time, the shortest first; `padded`: of about the same.

    Padding changes the last bits of what is made of a text; without any, its company makes no difference.
    """
    order = sorted(range(len(lengths)), key=lambda index: lengths[index])
    for _, found in groupby(order, key=lambda index: None if padded else lengths[index]):
        alike = list(found)
        for start in range(0, len(alike), TOGETHER):
            yield alike[start : start + TOGETHER]


def _filled(rows: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Rows of one length, [texts, longest, ...], and the mask of 1 and 0."""
    import torch
    from torch.nn.utils.rnn import pad_sequence

    mask = pad_sequence([torch.ones(len(one)) for one in rows], batch_first=True)
    return pad_sequence(list(rows), batch_first=True), mask
