"""A small network over the features of candidates, and its forward pass: a line and a bend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class NetWeights:
    """Of f features and h hidden units: `middle` and `spread` [f] standardise, `line` [f] is the linear part,
    `inner` [f, h], `inner_bias` [h] and `outer` [h] the bent one.
    """

    middle: Tensor
    spread: Tensor
    line: Tensor
    inner: Tensor
    inner_bias: Tensor
    outer: Tensor


def logits(weights: NetWeights, features: Tensor) -> Tensor:
    """[..., f] -> [...]: line . x + outer . gelu(x inner + bias), where x is 0 for a feature that is nan."""
    from torch.nn.functional import gelu

    x = ((features - weights.middle) / weights.spread).nan_to_num(0.0).clamp(-5, 5)
    return x @ weights.line + gelu(x @ weights.inner + weights.inner_bias) @ weights.outer


class Net:
    """The network as it is served."""

    def __init__(self, weights: NetWeights) -> None:
        self.weights = weights

    def score(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """[candidates, features] -> [candidates]."""
        import torch

        with torch.inference_mode():
            return logits(self.weights, torch.from_numpy(features)).double().numpy()

    def contributions(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Gradient x (input - mean), what each feature adds to first order (Shrikumar et al. 2016)."""
        import torch

        away = (torch.from_numpy(features) - self.weights.middle).nan_to_num(0.0).requires_grad_(True)
        (gradient,) = torch.autograd.grad(logits(self.weights, away + self.weights.middle).sum(), away)
        return (gradient * away).detach().double().numpy()
