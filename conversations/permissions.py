"""Who may use which command: one table. What a person sees is the Scope's business, not this one's."""

VISITING = frozenset({"visitor", "first_contact", "village", "township"})
READING = VISITING | {"county", "city"}
EVERYONE = READING | {"family", "operator"}

ALLOWED: dict[str, frozenset[str]] = {
    "start": EVERYONE,
    "help": EVERYONE,
    "mine": READING,
    "visit": VISITING,
    "elder": READING,
    "record": READING,
    "printvisit": READING,
    "correct": VISITING,
    "edit": VISITING,
    "void": VISITING,
    "template": VISITING,
    "drafts": VISITING,
    "resume": VISITING,
}


def may(roles: frozenset[str], command: str) -> bool:
    """Whether one of these roles may use the command."""
    return bool(roles & ALLOWED[command])


def may_correct(roles: frozenset[str], person_id: str, visitor_id: str | None) -> bool:
    """A coordinator may correct a visit in his area, everybody else only his own."""
    return visitor_id == person_id or bool(roles & {"village", "township"})
