"""Drafts as they were last saved by this process, so that the next turn need not open and parse them again.

An entry counts only for exactly the sealed bytes that stand in the database: whatever another process, a rolled
back transaction or a restart does, a draft that is not the kept one is never used.
"""

from conversations.draft import Draft

MOST = 2000


class DraftCache:
    """The newest drafts by id. Used from the store's threads: each step is one dict operation."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[bytes, Draft]] = {}

    def get(self, draft_id: str, sealed: bytes) -> Draft | None:
        """The draft whose kept body is exactly this."""
        kept = self._kept.get(draft_id)
        return kept[1] if kept is not None and kept[0] == sealed else None

    def put(self, draft: Draft, sealed: bytes) -> None:
        if len(self._kept) >= MOST:
            self._kept.clear()
        self._kept[draft.id] = (sealed, draft)
