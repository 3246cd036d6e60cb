"""Who may use which command: one table. What a person sees is the Scope's business, not this one's."""

VISITING = frozenset({"visitor", "first_contact", "village", "township"})
COORDINATING = frozenset({"village", "township", "county", "city"})
READING = VISITING | {"county", "city"}
COORDINATING = frozenset({"village", "township", "county"})
INVITING = COORDINATING | {"city"}
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
    "survey": VISITING,
    "surveyed": VISITING,
    "register": VISITING,
    "change": VISITING | {"family"},
    "wish": VISITING,
    "amend": VISITING,
    "complete": VISITING,
    "refresh": VISITING,
    "pending": COORDINATING,
    "confirm": COORDINATING,
    "refuse": COORDINATING,
    "drafts": VISITING,
    "resume": VISITING,
    "idnumber": COORDINATING,
    "phone": COORDINATING | {"first_contact"},
    "audit": COORDINATING,
    "owndata": COORDINATING,
    "import": COORDINATING,
    "export": COORDINATING,
    "stop": COORDINATING,
    "invite": INVITING,
    "invite_family": INVITING,
    "invitations": INVITING | {"operator"},
    "revoke": INVITING | {"operator"},
    "new_code": INVITING,
    "identify": INVITING | {"operator"},
    "cut_off": INVITING | {"operator"},
    "channels": EVERYONE,
    "policy": INVITING,
}


def may(roles: frozenset[str], command: str) -> bool:
    """Whether one of these roles may use the command."""
    return bool(roles & ALLOWED[command])
