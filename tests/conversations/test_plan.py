"""日程 as a file: days and names for a calendar, nothing that a stranger should not read; own elders only."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar

from conversations.documents import making
from conversations.words_book import Words
from storage.crypto import Keys
from storage.database import Tx
from storage.ids import millis
from storage.tables import postponements
from tests.fakes.house import PRIVATE, START, Originals, Recorder, Running


@pytest.fixture
async def running(tmp_path: Path, keys: Keys) -> Any:
    store, village = await Originals(tmp_path, keys).store()
    yield Running(store, village, Recorder())
    store.close()


async def file(running: Running, who: str, *, abroad: bool = False) -> bytes:
    wanted = {"kind": "plan", "person": running.village.people[who]}
    make = await running.store.read(lambda tx: making.prepare(tx, running.house, wanted, START))
    assert make is not None
    return make(Words(abroad=abroad)).body


def events(body: bytes) -> list[tuple[date, str]]:
    return [(event["dtstart"].dt, str(event["summary"])) for event in Calendar.from_ical(body).walk("VEVENT")]


async def test_a_calendar_can_read_the_file_and_it_holds_a_day_for_each_walk(running: Running) -> None:
    body = await file(running, "王强")
    assert events(body) == [
        (date(2026, 3, 5), "探访 建设村3组：张桂芳、曾国富"), (date(2026, 3, 6), "探访 建设村5组：单秀英、张桂芳"),
        (date(2026, 3, 7), "探访 建设村6组：仇大山、欧阳明")]
    assert max(map(len, body.split(b"\r\n"))) <= 75  # octets, as RFC 5545 wants it
    again = await file(running, "王强")
    uids = [[str(event["uid"]) for event in Calendar.from_ical(each).walk("VEVENT")] for each in (body, again)]
    assert uids[0] == uids[1] and len(set(uids[0])) == 3


async def test_neither_phone_nor_address_nor_illness_stands_in_it_and_abroad_no_full_name(running: Running) -> None:
    body = await file(running, "王强")
    text = str(events(body)) + body.decode()
    for private in (PRIVATE["phone"], PRIVATE["id_number"], PRIVATE["facts"]["address"], PRIVATE["facts"]["illnesses"]):
        assert private not in text
    assert [name for _, name in events(await file(running, "王强", abroad=True))] == [
        "探访 建设村3组：张某、曾某", "探访 建设村5组：单某、张某", "探访 建设村6组：仇某、欧阳某"]


async def test_everybody_gets_the_elders_whom_he_visits_and_no_others(running: Running) -> None:
    assert [name for _, name in events(await file(running, "李军"))] == ["探访 河坝村1组：陈国清"]
    for who in ("赵敏", "李娜", "钱进"):
        assert events(await file(running, who)) == []


async def test_who_was_put_off_to_another_day_is_planned_from_that_day_on(running: Running) -> None:
    village = running.village

    def put_off(tx: Tx) -> None:
        tx.run(postponements.insert(), id="p", elder_id=village.elders["仇大山6组"], person_id=village.people["王强"],
               until_on="2026-03-12", reason="weather", made_at=millis(START))

    await running.store.run(put_off)
    assert (date(2026, 3, 12), "探访 建设村6组：仇大山、欧阳明") in events(await file(running, "王强"))
