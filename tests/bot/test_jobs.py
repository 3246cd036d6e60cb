"""Jobs in the app: in chunks, told in their asker's chat, ended by a word, and gone on with by whoever comes next."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from bot.channels.base import RetryAt
from bot.jobs import QUIET, Handler, Runner, Stopped, Task
from conversations import book as books
from conversations.message import Inbound, Media
from storage import areas, jobs, meta
from storage.areas import Area
from storage.database import Store, StoreUnavailable, Tx
from storage.jobs import Asker
from storage.tables import elders, posts
from tests.fakes.chat_ledgers import FILES, many
from tests.fakes.house import START, Recorder, Running, bind, settle

ZHAO = "7003"


class Office:
    """The village, its coordinator's chat, and runners that the test makes."""

    def __init__(self, running: Running, recorder: Recorder) -> None:
        self.running, self.recorder, self.store = running, recorder, running.store
        self.asker = Asker(running.village.people["赵敏"], "test", ZHAO)
        self.said = 0

    async def begin(self, kind: str = "counting", **fields: Any) -> str:
        job = await self.store.run(lambda tx: jobs.add(tx, kind, fields, self.running.now(), self.asker))
        assert job is not None
        return job

    def runner(self, handler: Handler, *, edits: bool = True) -> Runner:
        channels = frozenset({"test"}) if edits else frozenset[str]()
        return Runner(self.store, {"counting": handler}, channels, self.running.now)

    async def does(self, text: str = "", choice: str = "", file: str = "") -> None:
        self.said += 1
        media = (Media("file", file, len(FILES.get(file, b"")), file),) if file else ()
        await self.running.handle(Inbound("test", ZHAO, ZHAO, str(self.said), self.running.now(), text=text,
                                          choice=choice, media=media))
        await self.running.delivery.settle()

    def shown(self) -> list[str]:
        return [each.text for each in self.recorder.sent.get(ZHAO, [])]

    def button(self, label: str) -> str:
        return next(token for shown in reversed(self.recorder.sent[ZHAO]) for row in shown.buttons
                    for text, token in row if label in text)

    async def state(self, job: str) -> str:
        found = await self.store.read(lambda tx: jobs.find(tx, self.asker.person_id, job))
        return found.state if found else ""


@pytest_asyncio.fixture
async def office(store: Store) -> AsyncIterator[Office]:
    form = books.from_folder().current["visit"]
    village = await store.run(lambda tx: settle(tx, form))
    await store.run(lambda tx: bind(tx, village, ("test",)))
    recorder = Recorder()
    recorder.files = FILES
    yield Office(Running(store, village, recorder), recorder)


def counts_to(last: int, after: Callable[[Task], Any] = lambda task: None) -> Handler:
    """Writes each number in a unit of work of its own; `after` is called with each."""
    async def handler(task: Task) -> None:
        for number in range(int(task.cursor or 0) + 1, last + 1):
            await task.step(lambda tx, n=number: _counted(tx, n), str)
            await task.tell(("files.progress", {"done": number, "total": last}))
            found = after(task)
            if found is not None:
                await found
        await task.end("done", lambda tx: (("files.dropped", {}),))

    return handler


def _counted(tx: Tx, number: int) -> int:
    meta.put(tx, "counted", (meta.get(tx, "counted") or "") + f" {number}")
    return number


async def counted(office: Office) -> str | None:
    return await office.store.read(lambda tx: meta.get(tx, "counted"))


async def test_a_job_cut_off_between_two_chunks_is_gone_on_with_and_nothing_is_done_twice(office: Office) -> None:
    job = await office.begin()

    def cut(task: Task) -> None:
        if task.cursor == "3":
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await office.runner(counts_to(5, cut)).settle()
    assert await office.state(job) == "waiting"
    office.running.later(jobs.LEASE.total_seconds())
    await office.runner(counts_to(5)).settle()
    assert await counted(office) == " 1 2 3 4 5"
    assert await office.state(job) == "done"


async def test_two_who_work_on_one_job_write_each_chunk_once(office: Office) -> None:
    await office.begin()

    async def overtaken(task: Task) -> None:
        if task.cursor == "2":
            office.running.later(jobs.LEASE.total_seconds())  # as if this process had slept
            await office.runner(counts_to(5)).settle()

    await office.runner(counts_to(5, overtaken)).settle()
    assert await counted(office) == " 1 2 3 4 5"
    await office.running.delivery.sweep()
    assert len([text for text in office.shown() if "没有导入" in text]) == 1


async def test_progress_is_one_message_that_is_edited_and_seldom(office: Office) -> None:
    await office.begin()

    async def later(task: Task) -> None:
        office.running.later(QUIET.total_seconds())
        await office.running.delivery.sweep()

    await office.runner(counts_to(4, later)).settle()
    await office.running.delivery.sweep()
    texts = [(each.handle, each.text) for each in office.recorder.sent[ZHAO]]
    assert texts[:-1] == [("1", f"已经做了 {n} 行，共 4 行。") for n in (2, 3, 4)]
    assert texts[-1][0] != "1" and "没有导入" in texts[-1][1]


async def test_where_nothing_can_be_edited_only_the_end_is_told(office: Office) -> None:
    await office.begin()

    async def later(task: Task) -> None:
        office.running.later(QUIET.total_seconds())

    await office.runner(counts_to(4, later), edits=False).settle()
    await office.running.delivery.sweep()
    assert len(office.shown()) == 1


async def test_a_job_stopped_in_chat_writes_no_further_chunk_and_says_nothing_more(office: Office) -> None:
    await office.begin()

    async def stopping(task: Task) -> None:
        if task.cursor == "2":
            await office.does("停下")

    await office.runner(counts_to(5, stopping)).settle()
    await office.running.delivery.sweep()
    assert await counted(office) == " 1 2"
    assert office.shown() == ["停下了。已经写进去的会留着，没写的不写了。"]


async def test_a_fault_ends_the_job_with_a_word_and_no_detail(
    office: Office, capfd: pytest.CaptureFixture[str]
) -> None:
    async def faulty(task: Task) -> None:
        raise ValueError("planted 510502194805120018")

    job = await office.begin()
    await office.runner(faulty).settle()
    await office.running.delivery.sweep()
    assert await office.state(job) == "failed"
    assert "没有办成" in office.shown()[-1]
    assert "planted" not in "".join(capfd.readouterr())


async def test_a_busy_platform_is_tried_again_for_an_hour(office: Office) -> None:
    tried = []

    async def busy(task: Task) -> None:
        tried.append(1)
        raise RetryAt(60)

    job = await office.begin()
    for _ in range(3):
        await office.runner(busy).settle()
        assert await office.state(job) == "waiting"
        office.running.later(60)
    office.running.later(3600)
    await office.runner(busy).settle()
    assert len(tried) == 4
    assert await office.state(job) == "failed"


async def test_a_job_waits_where_the_database_takes_nothing(office: Office) -> None:
    async def away(task: Task) -> None:
        raise StoreUnavailable

    job = await office.begin()
    await office.runner(away).settle()
    assert await office.state(job) == "waiting"


async def test_an_end_that_comes_too_late_is_not_told(office: Office) -> None:
    async def slow(task: Task) -> None:
        await office.store.run(lambda tx: jobs.cancel(tx, office.asker.person_id, task.job.id, START))
        with pytest.raises(Stopped):
            await task.end("done", lambda tx: (("files.dropped", {}),))

    await office.begin()
    await office.runner(slow).settle()
    await office.running.delivery.sweep()
    assert office.shown() == []


# What 导入 does with them


async def names(office: Office) -> set[str]:
    rows = await office.store.read(lambda tx: tx.all(elders.select()))
    return {row[4] for row in rows}


async def previewed(office: Office, file: str) -> str:
    """Sends a file and waits for what it would change; gives the token of 确认."""
    await office.does(file=file)
    await office.running.work()
    return office.button("确认")


async def test_a_confirmation_of_an_area_that_is_no_longer_theirs_writes_nothing(office: Office) -> None:
    token = await previewed(office, "台账.xlsx")
    before = await names(office)
    await office.store.run(lambda tx: tx.run(posts.delete()))
    await office.does(choice=token)
    await office.running.work()
    assert await names(office) == before


async def test_an_area_taken_away_in_the_middle_ends_the_writing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.recorder.files = {"many.xlsx": many(300)}
    token = await previewed(office, "many.xlsx")
    await office.does(choice=token)
    move = jobs.move

    def moving(tx: Tx, job: str, stood: str, stands: str, now: Any) -> bool:
        tx.run(posts.delete())
        return move(tx, job, stood, stands, now)

    monkeypatch.setattr(jobs, "move", moving)  # the post goes with the first chunk
    await office.running.work()
    assert len([name for name in await names(office) if name.startswith("罗")]) == 250
    assert "不管这个地方了" in office.shown()[-1]


async def test_nobodys_confirmation_counts_but_the_senders(office: Office) -> None:
    token = await previewed(office, "台账.xlsx")
    before = await names(office)
    wang = "7001"
    await office.store.run(lambda tx: tx.run(posts.insert(), person_id=office.running.village.people["王强"],
                                             role="township", area_id=_township(tx).id))
    await office.running.handle(Inbound("test", wang, wang, "x1", office.running.now(), choice=token))
    await office.running.delivery.settle()
    await office.running.work()
    assert await names(office) == before
    assert "已经处理过了" in office.recorder.sent[wang][-1].text


def _township(tx: Tx) -> Area:
    return areas.named(tx, "云溪镇")[0]


async def test_who_coordinates_two_areas_says_for_which_the_ledger_is(office: Office) -> None:
    def two_posts(tx: Tx) -> None:
        elsewhere = areas.add(tx, None, "township", "白塔镇", START)
        areas.add(tx, elsewhere, "village", "龙井村", START)
        tx.run(posts.insert(), person_id=office.asker.person_id, role="township", area_id=elsewhere.id)

    await office.store.run(two_posts)
    before = await names(office)
    await office.does(file="建设村.xlsx")
    await office.running.work()
    assert "是哪里的" in office.shown()[-1]
    await office.does(choice=office.button("白塔镇"))
    await office.running.work()
    assert "新增 0，更改 0，有误 1" in office.shown()[-1]  # there is no such village there
    await office.does(file="建设村.xlsx")
    foreign = await office.store.run(lambda tx: areas.add(tx, None, "township", "别镇", START).id)
    token = office.button("云溪镇").rpartition(" ")[0]
    await office.does(choice=f"{token} {foreign}")
    await office.running.work()
    assert await names(office) == before
    await office.does(choice=office.button("云溪镇"))
    await office.running.work()
    await office.does("1")  # its number can be typed
    await office.running.work()
    assert await names(office) == before | {"罗玉兰"}


async def test_a_ledger_that_is_a_day_old_is_not_written_any_more(office: Office) -> None:
    token = await previewed(office, "台账.xlsx")
    before = await names(office)
    office.running.later(24 * 3600)
    await office.does(choice=token)
    await office.running.work()
    assert await names(office) == before
    assert "放得太久" in office.shown()[-1]


async def test_a_village_coordinator_brings_in_the_own_village_only(office: Office) -> None:
    def move_down(tx: Tx) -> None:
        tx.run(posts.delete())
        village = areas.named(tx, "建设村")[0]
        tx.run(posts.insert(), person_id=office.asker.person_id, role="village", area_id=village.id)

    await office.store.run(move_down)
    before = await names(office)
    token = await previewed(office, "台账.xlsx")
    await office.does(choice=token)
    await office.running.work()
    assert await names(office) == before | {"罗玉兰"}  # 何素云 is of the next village
