"""This bot: identity, scope, sealing, audit, outbox and its marks, every turn on disk before its answer leaves.

`python -m bench.ours --database sqlite` or `--database postgresql://…`; `--first` shifts the people, so that two
processes on one database do not share any.
"""

import argparse
import sys
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import func, select

from bench.flow import SUBMIT, Step
from bench.measure import FIRST_CHAT, Load, Platform, Row, measure, serve, visits_logged
from bench.telegram_stub import TOKEN, StubRequest
from bot.app import keep_out_of_collections, load_book
from bot.channels.telegram import Telegram
from bot.channels.telegram_calls import encode
from bot.clock import wall
from bot.delivery import Delivery
from bot.dispatch import Dispatch
from conversations.turn import House
from conversations.words_book import Words
from scheduler import casework, policy
from scheduler.policy import Policies
from storage import accounts, areas, assignments, people
from storage.database import Store, Tx
from storage.elders import NewElder
from storage.ids import millis
from storage.key_file import load_keys
from storage.opening import open_store
from storage.scope import Scope
from storage.tables import visits as visits_table
from storage.visits import Entry

PER_WORK = 50
_COUNT = select(func.count()).select_from(visits_table)


async def run(load: Load, database: str, keys: Path, first: int) -> list[Row]:
    """Measures on a village of its own in the database."""
    store = open_store(database, load_keys(keys, create=True))
    try:
        return [await _run(store, load, first)]
    finally:
        store.close()


async def _run(store: Store, load: Load, first: int) -> Row:
    policies = policy.load()
    book = await load_book(store)
    await _village(store, policies, book.current["visit"].hash, load.people, first)
    platform = Platform()
    telegram = Telegram(TOKEN, place_label="-", now=wall, request=StubRequest(platform, encode))
    house = House(book, policies)
    delivery = Delivery(store, {telegram.name: telegram}, house, wall, _no_document)
    dispatch = Dispatch(store, house, delivery, wall)
    before = await store.read(_visits)
    keep_out_of_collections()

    async def feed(raw: bytes) -> None:
        inbound = telegram.parse(orjson.loads(raw))
        if inbound is not None:
            await dispatch.handle(inbound)

    row = await measure(f"this bot, {store.engine}", feed, _token, platform, load, first_chat=FIRST_CHAT + first)
    await delivery.settle()
    if first == 0 and (kept := await store.read(_visits) - before) < visits_logged(load):
        raise RuntimeError(f"{visits_logged(load)} visits were logged, {kept} kept")
    return row


def _visits(tx: Tx) -> int:
    row = tx.one(_COUNT)
    return int(row[0]) if row else 0


def _token(step: Step, markup: Any) -> str:
    """The data of the button to tap: the option's, the control's, or the first person's."""
    buttons = [button["callback_data"] for row in orjson.loads(markup)["inline_keyboard"] for button in row]
    if step.name == SUBMIT:
        wanted = ".=submit"
        return next(str(token) for token in buttons if token.endswith(wanted))
    answers = [token for token in buttons if "=" not in token]
    return str(answers[step.option or 0])


async def _village(store: Store, policies: Policies, form_hash: str, count: int, first: int,
                   channel: str = "telegram") -> None:
    now = wall()
    day = now.astimezone(policies.city.zone).date()

    def begin(tx: Tx) -> str:
        township = areas.add(tx, None, "township", f"bench {first}", now)
        return areas.add(tx, township, "village", "bench", now).id

    village = await store.run(begin)
    for start in range(0, count, PER_WORK):
        await store.run(partial(_people, village, policies, now, day, range(start, min(count, start + PER_WORK)), first,
                                form_hash, channel))


def _people(village: str, policies: Policies, now: datetime, day: date, numbers: range, first: int, form_hash: str,
            channel: str, tx: Tx) -> None:
    """Visitors, each with an elder whose mood was asked today: the main line is the same as the others'."""
    for number in numbers:
        person = people.add(tx, village, f"{number}", ("visitor",), now, "grid_worker")
        elder = casework.register(tx, NewElder(
            village, "1", f"{first + number}", "b", None, "1940-01-01", ["living_alone"], "intact",
            day.replace(day=1).isoformat(), number=number + 1), policies, now)
        assignments.entrust(tx, person.id, elder, "visitor", day.isoformat())
        casework.submit(tx, Scope(person.id, day), Entry(elder, form_hash, day.isoformat(), "home", False, {
            casework.SCREENING: ["no", millis(now), "tap"]}, ""), policies, now)
        account = str(FIRST_CHAT + first + number)
        accounts.bind(tx, channel, account, account, person.id, now)


async def _no_document(wanted: dict[str, Any], words: Words) -> None:
    return None


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", required=True)
    parser.add_argument("--keys", type=Path, required=True)
    parser.add_argument("--first", type=int, default=0)
    chosen, rest = parser.parse_known_args()
    sys.argv[1:] = rest
    serve(partial(run, database=chosen.database, keys=chosen.keys, first=chosen.first))
