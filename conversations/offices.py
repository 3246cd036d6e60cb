"""What somebody is invited as, and who took the invitation up."""

from datetime import date
from typing import Any

from conversations.engine import Part
from storage import elders, people
from storage.database import Tx
from storage.invitations import DIRECTORY, Invitation
from storage.scope import Scope

FOR_ONE_ELDER = frozenset({"family", "first_contact", "self"})
NAMED = 3  # elders


def of(tx: Tx, person_id: str, day: date) -> list[dict[str, str]]:
    """Each post with its area, or with the elder whom it is for: what the filter `offices` puts in words."""
    person = people.find(tx, person_id)
    posts = people.posts_of(tx, person_id)
    kind = person.visitor_kind or "" if person else ""
    if {post.role for post in posts} <= FOR_ONE_ELDER:
        named = [elder.name for elder in elders.due_first(tx, Scope(person_id, day), NAMED)]
        return [{"role": post.role, "area": post.area, "kind": "", "elder": elder}
                for post in posts for elder in named or [""]]
    return [{"role": post.role, "area": post.area, "kind": kind if post.role == "visitor" else "", "elder": ""}
            for post in posts]


def who_bound(tx: Tx, found: Invitation, day: date) -> Part:
    """The account that took an invitation up, for the coordinator: is it the person himself?"""
    waits = found.account_state == "waiting"
    fields: dict[str, Any] = {
        "name": found.name, "offices": of(tx, found.person_id, day), "channel": found.used_channel or "",
        "tail": (found.used_account or "")[-4:], "listed": found.made_by == DIRECTORY}
    no = ["button.not_he", {}, f"/identify {found.id} no"]
    fields["buttons"] = [[["button.he", {}, f"/identify {found.id} yes"], no] if waits else [no]]
    return ("binding.claimed" if waits else "binding.bound", fields)
