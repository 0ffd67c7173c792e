"""A cache with a bound."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class LruCache(Generic[Key, Value]):
    """A map that evicts the least recently used items when their total size exceeds a bound.

    Threads can share one.
    """

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._items: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def get(self, key: Key) -> Value | None:
        """Return the value of a key, which becomes the most recently used one."""
        with self._lock:
            if key not in self._items:
                return None
            self._items.move_to_end(key)
            return self._items[key][0]

    def set(self, key: Key, value: Value, size: int) -> None:
        """Keep a value, and evict others while the total size exceeds the bound.

        A value that exceeds the bound by itself is not kept, and evicts only the old one of its key.
        """
        with self._lock:
            self._remove(key)
            if size > self._bound:
                return
            self._items[key] = (value, size)
            self._size += size
            while self._size > self._bound:
                self._remove(next(iter(self._items)))

    def delete_where(self, predicate: Callable[[Key, Value], bool]) -> None:
        """Remove the items for which the predicate holds."""
        with self._lock:
            for key in [key for key, (value, _) in self._items.items() if predicate(key, value)]:
                self._remove(key)

    def _remove(self, key: Key) -> None:
        _, size = self._items.pop(key, (None, 0))
        self._size -= size
