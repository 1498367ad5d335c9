"""What was made of the latest keys, so that it need not be made again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Memory(Generic[Value]):
    """Values by text, those asked for last. Safe to share between threads."""

    def __init__(self, most: int) -> None:
        self._kept: OrderedDict[str, Value] = OrderedDict()
        self._most = most
        self._lock = Lock()

    def of(self, keys: Sequence[str], make: Callable[[list[str]], Sequence[Value]]) -> list[Value]:
        """The value of each key; `make` is given all that are not known, once each, and answers in order."""
        with self._lock:
            found = {key: self._kept[key] for key in keys if key in self._kept}
        missing = [key for key in dict.fromkeys(keys) if key not in found]
        if missing:
            found.update(zip(missing, make(missing), strict=True))
        with self._lock:
            for key in keys:
                self._kept[key] = found[key]
                self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return [found[key] for key in keys]
