"""docs/permissions.md: every command with who may use it, and every kind of visitor with what it may and sees.

PERMISSIONS=write .venv/bin/python -m pytest tests/conversations/test_permissions.py

writes it anew from the tables; read the difference before you keep it.
"""

import os
from pathlib import Path
from typing import get_args

import conversations
from conversations.commands import ACTIONS, NAMES
from conversations.permissions import ALLOWED, BOUND_BY_KIND, BY_KIND
from conversations.words_book import Words
from scheduler import policy
from scheduler.visitor_kinds import Field, Task
from storage.people import ROLES

PAGE = Path(conversations.__file__).parent.parent / "docs" / "permissions.md"
WORDS = Words()


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [_row(head), _row(["---", *[":-:"] * (len(head) - 1)]), *map(_row, rows)]


def _mark(yes: bool, sign: str = "x") -> str:
    return sign if yes else ""


def page() -> str:
    """The whole page."""
    roles = [f"{WORDS.say(f'role.{role}')} `{role}`" for role in ROLES]
    commands = [[f"{''.join(named.words[:1])} `/{named.slash}`", *[
        _mark(role in ALLOWED[name], "kind" if name in BY_KIND and role in BOUND_BY_KIND else "x") for role in ROLES]]
        for name, named in sorted(NAMES.items(), key=lambda each: each[1].slash)]
    tasks, fields = get_args(Task), get_args(Field)
    by_task = {task: ", ".join(f"`/{NAMES[name].slash}`" for name, wants in BY_KIND.items() if wants == task)
               for task in tasks}
    kinds = [[f"{WORDS.say(f'visitor_kind.{name}')} `{name}`", *[_mark(task in kind.tasks) for task in tasks],
              *[_mark(field in kind.sees) for field in fields], _mark(kind.hours), _mark(kind.on_ladder)]
             for name, kind in policy.load().city.visitor_kinds.items()]
    return "\n".join([
        "# Who may do what", "",
        "Written by `PERMISSIONS=write` from `conversations/permissions.py` and `scheduler/policy.toml`; a test compares",
        "it with them. Whom a person may do it for is the scope's business: a coordinator's own subtree, a visitor's and",
        "a family's own elders. `kind`: only where the kind of visitor allows it, below.", "",
        "## Commands by role", "", *_table(["command", *roles], commands), "",
        "## Kinds of visitors", "",
        "Every kind visits its own elders, sees their name, village, class and visits, and corrects its own records.",
        *[f"`{task}` allows {commands}." for task, commands in by_task.items()],
        "Who is a first contact sees the phone where the kind does. A city or county adds and changes kinds in its",
        "policy file; one that no policy knows has nothing below, and neither has a visitor who has none yet.", "",
        *_table(["kind", *[f"`{task}`" for task in tasks], *[f"sees `{field}`" for field in fields],
                 "hours count", "answers alerts"], kinds), ""])


def test_the_page_of_permissions_says_what_the_tables_say() -> None:
    if os.environ.get("PERMISSIONS") == "write":
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_command_has_its_line_and_every_line_its_command() -> None:
    assert ALLOWED.keys() == ACTIONS.keys() == NAMES.keys()
    assert BY_KIND.keys() <= ALLOWED.keys()
