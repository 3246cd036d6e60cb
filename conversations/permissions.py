"""Who may use which command: one table. What a person sees is the Scope's business, not this one's."""

from scheduler.visitor_kinds import Field, Task, VisitorKind

VISITING = frozenset({"visitor", "first_contact", "village", "township"})
COORDINATING = frozenset({"village", "township", "county", "city"})
READING = VISITING | COORDINATING
LOCAL = COORDINATING - {"city"}  # whole files and whole ledgers are no business of the city's
FAMILY = frozenset({"family"})
GOING = VISITING | LOCAL  # who may be asked to go and see when an alert runs
EVERYONE = READING | {"family", "operator"}

ALLOWED: dict[str, frozenset[str]] = {
    "start": EVERYONE | {"self"},
    "help": EVERYONE | {"self"},
    "mine": READING,
    "due": READING,
    "overdue": READING,
    "cannot": VISITING,
    "leave": VISITING,
    "stand_in": LOCAL,
    "remind": LOCAL,
    "settings": READING,
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
    "month": COORDINATING,
    "quarter": COORDINATING,
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
    "stop": COORDINATING,
    "people": COORDINATING,
    "edit_person": COORDINATING,
    "suspend": COORDINATING,
    "activate": COORDINATING,
    "assign": LOCAL,
    "entrust": LOCAL,
    "end_care": LOCAL,
    "handover": LOCAL,
    "invite": COORDINATING,
    "invite_family": COORDINATING,
    "invitations": COORDINATING | {"operator"},
    "revoke": COORDINATING | {"operator"},
    "new_code": COORDINATING,
    "identify": COORDINATING | {"operator"},
    "cut_off": COORDINATING | {"operator"},
    "plan": VISITING,
    "hours": READING,
    "hours_proof": READING,
    "channels": EVERYONE | {"self"},
    "policy": COORDINATING,
    "checkin": VISITING | LOCAL | {"family", "self"},
    "checkin_set": VISITING | LOCAL | {"family"},
    "checkin_off": VISITING | LOCAL | {"family", "self"},
    "checkin_invite": VISITING | LOCAL | {"family"},
    "well": frozenset({"self"}),
    "unwell": frozenset({"self"}),
    "sos": EVERYONE | {"self"},
    "reached": VISITING | LOCAL | {"family"},
    "alerts": READING | {"family"},
    "alert": READING | {"family"},
    "claim": GOING | {"family"},  # who may not go is told what he can do
    "arrived": GOING,
    "close": GOING,
    "false_alarm": GOING,
    "campaign": READING,
    "campaign_left": READING,
    "campaign_tips": READING,
    "reach": READING,
    "phoned": VISITING,
    "unphoned": VISITING,
    "campaign_new": COORDINATING,
    "campaign_open": COORDINATING,
    "campaign_days": COORDINATING,
    "campaign_end": COORDINATING,
    "campaign_cancel": COORDINATING,
    "family": FAMILY,
    "called": FAMILY,
    "callby": FAMILY,
    "trouble": FAMILY,
    "seehim": FAMILY,
    "askvisit": FAMILY,
    "callback": FAMILY,
    "unask": FAMILY,
    "callplan": FAMILY,
    "requests": VISITING,
    "take": VISITING,
    "letgo": VISITING,
    "answered": VISITING,
    "decline": LOCAL,
    "needs": VISITING | LOCAL,
    "arrange": LOCAL,
    "settle": VISITING | LOCAL,
    "telling": VISITING,
    "devices": LOCAL | {"operator"},
    "device": LOCAL,
    "device_bind": LOCAL,
    "device_unbind": LOCAL,
    "device_damp": LOCAL,
    "device_fine": GOING,
    "device_help": GOING,
}


# what a kind of visitor must do, or see, for a command that goes beyond visiting (C9)
BY_KIND: dict[str, Task | Field] = {
    "register": "file", "amend": "file", "complete": "file", "refresh": "file", "firstcontact": "file",
    "survey": "survey", "surveyed": "survey", "wish": "wish", "telling": "wish", "phone": "phone",
}
# the command that each form goes beyond visiting with: asked again at every step, a kind may change meanwhile
BY_FORM = {"elder": "register", "survey": "surveyed", "wish": "wish", "firstcontact": "firstcontact",
           "telling": "telling", "arrange": "arrange", "settle": "settle", "decline": "decline",
           "device": "device_bind"}
BOUND_BY_KIND = frozenset({"visitor", "first_contact"})


def may(roles: frozenset[str], command: str, kind: VisitorKind | None = None) -> bool:
    """Whether one of these roles may use the command. A visitor's kind bounds what he may; `kind` is None of others."""
    if kind is not None and command in BY_KIND and BY_KIND[command] not in kind.tasks | kind.sees:
        roles -= BOUND_BY_KIND
    return bool(roles & ALLOWED[command])
