"""请假, 今天去不了: who stands in for two leaves does so in both, and goes on when one of them is taken back; the day
that a visitor names is the day on which he is reminded, and where somebody else is to go he is not."""

from datetime import date
from pathlib import Path

from storage import areas, assignments, elders, leaves, people
from storage.crypto import Keys
from storage.database import Tx
from storage.scope import Scope
from tests.conversations.transcript import InMemory
from tests.fakes.house import START, Originals, Recorder, Running

FIRST, SECOND = ("3月9日", "3月10日"), ("3月20日", "3月21日")
ELDER = "张桂芳3组"


async def test_of_two_leaves_ahead_each_has_its_stand_in_also_when_one_is_taken_back(tmp_path: Path, keys: Keys) -> None:
    store, village = await Originals(tmp_path, keys).store()
    wang = village.people["王强"]
    qian = await store.run(lambda tx: people.add(tx, areas.named(tx, "建设村")[0].id, "孙立群", ("visitor",), START).id)
    recorder = Recorder()
    stage = InMemory(Running(store, village, recorder), recorder)
    for first, last in (FIRST, SECOND):
        for text in ("/leave new", first, last, "请人代看", "孙立群", "提交"):
            await stage.act("王强", [{"text": text}])

    def stands_in(tx: Tx, day: str) -> bool:
        scope = Scope(qian, date.fromisoformat(day))
        return any(each.role == "stand_in" for each in assignments.carers(tx, scope, village.elders[ELDER]))

    async def on(*days: str) -> list[bool]:
        return [await store.read(lambda tx, day=day: stands_in(tx, day)) for day in days]

    assert await on("2026-03-09", "2026-03-10", "2026-03-20", "2026-03-21") == [True] * 4
    ahead = await store.read(lambda tx: leaves.of(tx, wang, START.date()))
    await stage.act("王强", [{"text": f"/leave withdraw {ahead[1].id}"}])
    assert await on("2026-03-09", "2026-03-10", "2026-03-20", "2026-03-21") == [True, True, False, False]
    await stage.act("王强", [{"text": f"/leave withdraw {ahead[0].id}"}])
    assert await on("2026-03-09", "2026-03-10") == [False, False]
    store.close()


async def test_a_day_named_brings_the_reminder_forward_and_somebody_else_does_not(tmp_path: Path, keys: Keys) -> None:
    store, village = await Originals(tmp_path, keys).store()
    recorder = Recorder()
    stage = InMemory(Running(store, village, recorder), recorder)
    elder = village.elders["仇大山6组"]
    days = []
    for instead in ("none", "else", "2026-03-07", "2026-03-06"):
        await stage.act("王强", [{"text": f"/cannot {elder} busy {instead}"}])
        found = await store.read(lambda tx: elders.unscoped(tx, elder))
        assert found is not None and found.due_until == "2026-03-15"
        days.append(found.remind_on)
    assert days == ["2026-03-08", "2026-03-08", "2026-03-07", "2026-03-06"]
    store.close()
