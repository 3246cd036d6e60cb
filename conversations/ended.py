"""How a form ends."""

from dataclasses import dataclass

from conversations.engine import Part


@dataclass(frozen=True, slots=True)
class Ended:
    """What to say, the state that the draft goes to, and the id of what it became."""

    say: tuple[Part, ...]
    state: str = "submitted"
    result: str | None = None
