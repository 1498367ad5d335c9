"""Tunes the text encoder: its last layers learn, together with towers, what is recommended after a dialogue.

Every item of the catalogue is a negative in every step, so that none has to be mined and no popularity has to
be corrected for: the towers' biases hold it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from finetune.readings import Example
from finetune.tower import Say, TowerModel, TowerSettings, learn
from retrieval.signals.listener import Layers, Listener
from retrieval.signals.reading import Reader


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """How the encoder is tuned. `rate`: of its adapters; the towers have their own, of their settings."""

    towers: TowerSettings = field(default_factory=TowerSettings)
    rate: float = 1e-3


class ListenerModel(nn.Module):
    """Towers and layers while they learn: forward() is the loss of a batch."""

    def __init__(self, towers: TowerModel, layers: Layers, training: Sequence[Example], d: int) -> None:
        super().__init__()
        self.towers, self.layers = towers, layers
        self.adapters = nn.ParameterList(layers.adapters().values())
        self.told = nn.Parameter(torch.randn(layers.width, d) * 0.02)
        texts = list(dict.fromkeys(one.said for one in training if one.said))
        self._lower = dict(zip(texts, layers.lower(texts), strict=True))

    def forward(self, chosen: Sequence[Example], keep: float) -> Tensor:
        """As that of the towers, with what each dialogue sounds like; nothing where it has no words."""
        said = [number for number, one in enumerate(chosen) if one.said]
        heard = torch.zeros(len(chosen), self.told.shape[1])
        if said:
            hidden = [self._lower[chosen[number].said] for number in said]
            heard = heard.index_put((torch.tensor(said),), self.layers.upper(hidden, padded=True) @ self.told)
        return self.towers(chosen, keep, heard)


def tune_encoder(
    training: Sequence[Example],
    reader: Reader,
    layers: Layers,
    texts: np.ndarray,
    settings: EncoderSettings,
    seed: int,
    say: Say,
) -> Listener:
    """Tune `layers` on `training`. `texts`: the encoder's vectors of the items, float32 [n_items, any]."""
    torch.manual_seed(seed)
    towers = TowerModel(reader, texts, training, settings.towers)
    say("Reading the dialogues with the encoder's fixed layers")
    model = ListenerModel(towers, layers, training, settings.towers.dimension)
    parts = [
        *towers.parts(),
        {"params": [model.told], "weight_decay": settings.towers.weight_decay},
        {"params": list(model.adapters), "lr": settings.rate, "weight_decay": 0.0},
    ]
    learn(model, parts, training, settings.towers, seed, lambda text: say(f"  encoder, {text}"))
    with torch.no_grad():
        return Listener(model.eval().towers.tables(), model.told.detach(), layers, reader)
