"""Whatever stands in a file and whatever is said of an alert: none of it is in a group, through its whole life (C12)."""

import re
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.channels.base import Capabilities
from bot.render import reachable
from conversations import group_telling, telling
from conversations.book import from_folder
from conversations.group_telling import GROUP
from conversations.say import messages
from conversations.words_book import Words, pseudonym
from scheduler import alerting, policy, raising, village_groups
from scheduler.group_notices import GroupAlert
from storage import accounts, alerts, assignments, elders, groups, outbox, people
from storage.database import Store, Tx
from storage.tables import elders as elders_table
from tests.storage.ground import STANDING, lay, new_elder

POLICIES, BOOK = policy.load(), from_folder()
BUTTON = Capabilities(20, 4, 40, 4096, True, True, True, True, False)
ABROAD = Capabilities(20, 4, 40, 4096, True, True, True, True, True)
NO_BUTTON = Capabilities(0, 0, 40, 4096, False, True, True, True, False, group_buttons=False)
KINDS = (*raising.KINDS, "sos", "help", "no_check_in", "unreachable")
SPECIAL = st.sampled_from(["<b>", "</b>", "_*[]()~`>#+-=|{}.!", "👨‍👩‍👧", "\u202e", "\u200f", "{{ name }}", "%s", "&lt;", "\n", "欧阳", "单于"])
TEXT = st.lists(st.one_of(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8), SPECIAL), min_size=1,
                max_size=4).map("".join).filter(str.strip)
DIGITS = st.text("0123456789Xx -", min_size=7, max_size=18)
STEPS = st.lists(st.sampled_from(["again", "late", "support", "words", "claim", "arrive", "close", "false"]), max_size=7)
KIND = "(?:人身求助|走失|火情|燃气|紧急求助)"
WHO = "王(?:强|某)"
LINES = "(?:\n(?:还没有人去处理，请尽快。|又有人报来同一件事，请尽快。|去的人需要帮手，能去的请去。))?"
GO = "(?:\n(?:能去的请点“我去处理”。|能去的点这里认领：https://t\\.example/a/[A-Za-z0-9_-]{22}))?"


def allowed(group: str, name: str, drill: bool = False) -> re.Pattern[str]:
    """All that a group may ever read of an elder of this group and name."""
    where = f"{re.escape(group)} " if group and GROUP.fullmatch(group) and name[-2:] not in group else ""
    state = f"(?:待认领|{WHO} \\d\\d:\\d\\d 去处理了|{WHO}已到场|(?:处置完毕|误报)（{WHO} \\d\\d:\\d\\d）)"
    return re.compile(f"警报 A-\\d{{4}} · (?:{where}{re.escape(pseudonym(name))} · {KIND}(?: · {state})?{LINES}{GO}"
                      "|后面又发了一条，请看新的那条。)")


class Life:
    """One alert and what its groups were shown."""

    def __init__(self, tx: Tx, now: datetime, facts: dict[str, Any], kind: str) -> None:
        self.tx, self.now, self.facts = tx, now, facts
        ground = lay(now)(tx)
        self.wang = ground.visitor
        for person, account in ((self.wang, "1"), (ground.coordinator, "2")):
            accounts.bind(tx, "test", account, account, person, now)
        self.elder = elders.add(tx, new_elder(
            ground.village, facts["name"], phone=facts["phone"], id_number=facts["id"],
            facts={"address": facts["address"], "illnesses": facts["illness"], "emergency_name": facts["contact"],
                   "emergency_phone": facts["phone"]}), STANDING, now)
        tx.run(elders_table.update().where(elders_table.c.id == self.elder).values(group_name=facts["group"]))
        assignments.entrust(tx, self.wang, self.elder, "visitor", "2026-01-01")
        child = people.add(tx, ground.village.id, facts["contact"], ("family",), now).id
        assignments.entrust(tx, child, self.elder, "family", "2026-01-01")
        for kind_of, chat in (("chat", "g1"), ("robot", "g2"), ("forwarded", "g3")):
            groups.add(tx, "test" if kind_of != "forwarded" else "forwarded", chat, kind_of, ground.village.id,  # type: ignore[arg-type]
                       ground.coordinator, now)
        self.shown: list[str] = []
        self.raise_it(kind)
        self.alert = alerts.running_numbered(tx, 1)
        self.read()

    def raise_it(self, kind: str) -> None:
        alerting.raise_alert(self.tx, self.elder, kind, "person", None, POLICIES, self.now, self.facts["words"])

    def step(self, what: str) -> None:
        self.now += timedelta(minutes=4)
        alert = alerts.unscoped(self.tx, self.alert.id) if self.alert else None
        assert alert is not None
        said = self.facts["words"]
        match what:
            case "again" if alert.running:
                self.raise_it(alert.kind)
            case "late":
                alerting.climb(self.tx, self.now, POLICIES)
            case "support" if alert.running:
                village_groups.show(self.tx, alert, POLICIES, self.now, anew="support")
            case "words" if alert.running:
                raising.add_words(self.tx, alert, self.wang, said, POLICIES, self.now)
            case "claim":
                alerting.claim(self.tx, alert, self.wang, POLICIES, self.now)
            case "arrive":
                alerting.arrive(self.tx, alert, self.wang, POLICIES, self.now)
            case "close":
                alerting.end(self.tx, alert, self.wang, {"found": said, "done": said, "told": said, "risk": "gone"},
                             POLICIES, self.now)
            case "false":
                alerting.end(self.tx, alert, self.wang, {"reason": said}, POLICIES, self.now)
        self.read()

    def read(self) -> None:
        """What leaves now for groups, on every kind of channel."""
        while rows := outbox.take(self.tx, self.now, lanes=("alert",)):
            for row in rows:
                outbox.sent(self.tx, [(row.id, "h")], self.now)
                if not row.kind.startswith(("group_", "forward_")):
                    continue
                said = telling.parts(self.tx, row.kind, row.fields, self.now.date())
                for can in (BUTTON, ABROAD, NO_BUTTON) if said else ():
                    fit = reachable(said or (), can, "https://t.example")
                    told = messages(fit, Words(abroad=can.abroad), BOOK) if fit else []
                    self.shown += [each.text for each in told[-1:]]
                    assert all(b.token == f"/claim {self.alert.id}" for each in told for r in each.buttons for b in r
                               if self.alert)


@given(facts=st.fixed_dictionaries({"name": TEXT, "group": st.one_of(st.just("3组"), TEXT), "address": TEXT,
                                    "illness": TEXT, "contact": TEXT, "words": TEXT, "phone": DIGITS, "id": DIGITS}),
       kind=st.sampled_from(KINDS), steps=STEPS)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_group_reads_number_group_surname_and_one_word(sqlite_store: Store, now: datetime, facts: dict[str, str],
                                                               kind: str, steps: list[str]) -> None:
    shown: list[str] = []

    def work(tx: Tx) -> None:
        life = Life(tx, now, facts, kind)
        for step in steps:
            life.step(step)
        shown.extend(life.shown)
        raise Undone  # the next example begins with nothing

    with pytest.raises(Undone):
        await sqlite_store.run(work)
    assert shown
    may = allowed(facts["group"], facts["name"])
    assert [text for text in shown if not may.fullmatch(text)] == []


class Undone(Exception):
    """Takes back what an example did."""


@pytest.mark.parametrize("seed", range(3))
def test_of_a_name_the_surname_alone_is_told(seed: int) -> None:
    draw = Random(seed)
    for _ in range(300):
        name = "".join(chr(draw.choice((draw.randrange(0x4E00, 0x9FA5), draw.randrange(0x20, 0x7F), 0x202E))) for _ in range(4))
        short = pseudonym(name)
        assert short.endswith("某") and short[:-1] in name and len(short) <= 3 and short.isprintable()


async def test_a_group_that_is_called_by_an_elder_s_name_is_not_said(store: Store, now: datetime) -> None:
    def said(tx: Tx) -> str:
        ground = lay(now)(tx)
        elder = elders.add(tx, new_elder(ground.village, "张桂芳"), STANDING, now)
        tx.run(elders_table.update().where(elders_table.c.id == elder).values(group_name="张桂芳家"))
        alerting.raise_alert(tx, elder, "fall", "person", None, POLICIES, now)
        alert = alerts.running_numbered(tx, 1)
        assert alert
        return str(group_telling.brief(tx, alert))
    assert "桂芳" not in await store.run(said)


async def test_what_leaves_late_asks_nobody_to_hurry_to_what_is_over(store: Store, now: datetime) -> None:
    def said(tx: Tx) -> list[bool]:
        ground = lay(now)(tx)
        group = groups.add(tx, "test", "g1", "chat", ground.village.id, ground.coordinator, now)
        alerting.raise_alert(tx, ground.elder, "fall", "person", None, POLICIES, now)
        alert = alerts.running_numbered(tx, 1)
        assert alert
        found = []
        for end in (False, True):
            if end:
                alerting.end(tx, alert, ground.coordinator, {"reason": "x"}, POLICIES, now)
            for anew in ("again", "support"):
                notice = GroupAlert(group=group.id, alert=alert.id, at="2026-03-02T09:30", anew=anew)  # type: ignore[arg-type]
                parts = telling.parts(tx, notice.kind, notice.model_dump(), now.date())
                found.append(Words().say(*parts[0]) if parts else "")
        return ["请尽快" in each or "帮手" in each for each in found]
    assert await store.run(said) == [True, False, False, False]
