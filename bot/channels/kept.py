"""What a process remembers of a channel for a while, and can do without."""

from collections import OrderedDict
from typing import TypeVar

T = TypeVar("T")
MOST = 10_000


class Kept(OrderedDict[str, T]):
    """The newest of what was put; older things are forgotten."""

    def put(self, key: str, value: T) -> None:
        self[key] = value
        if len(self) > MOST:
            self.popitem(last=False)
