"""Who may use which command: one table. What a person sees is the Scope's business, not this one's."""

VISITING = frozenset({"visitor", "first_contact", "village", "township"})
COORDINATING = frozenset({"village", "township", "county", "city"})
READING = VISITING | COORDINATING
LOCAL = COORDINATING - {"city"}  # whole files and whole ledgers are no business of the city's
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
    "firstcontact": VISITING,
    "survey": VISITING,
    "surveyed": VISITING,
    "register": VISITING,
    "change": VISITING | {"family"},
    "wish": VISITING,
    "amend": VISITING,
    "complete": VISITING,
    "refresh": VISITING,
    "ledger": COORDINATING,
    "pending": EVERYONE,
    "withdraw": EVERYONE,
    "confirm": COORDINATING,
    "refuse": COORDINATING,
    "drafts": VISITING,
    "resume": VISITING,
    "idnumber": LOCAL,
    "phone": LOCAL | {"first_contact"},
    "audit": LOCAL,
    "owndata": LOCAL,
    "import": LOCAL,
    "export": LOCAL,
    "stop": LOCAL,
    "people": COORDINATING,
    "suspend": COORDINATING,
    "activate": COORDINATING,
    "assign": LOCAL,
    "handover": LOCAL,
    "invite": COORDINATING,
    "invite_family": COORDINATING,
    "invitations": COORDINATING | {"operator"},
    "revoke": COORDINATING | {"operator"},
    "new_code": COORDINATING,
    "identify": COORDINATING | {"operator"},
    "cut_off": COORDINATING | {"operator"},
    "channels": EVERYONE,
    "policy": COORDINATING,
}


def may(roles: frozenset[str], command: str) -> bool:
    """Whether one of these roles may use the command."""
    return bool(roles & ALLOWED[command])
