"""The list of what is sealed, on which key rotation stands: no column is missing, and each names its row rightly."""

from datetime import datetime

import pytest
from sqlalchemy import LargeBinary, select

from storage import (
    accounts,
    alert_media,
    alerts,
    contacts,
    device_events,
    device_vendors,
    devices,
    drafts,
    elders,
    groups,
    inbox,
    media,
    needs,
    outbox,
    phones,
    platform_tokens,
    proposals,
    requests,
    visits,
)
from storage.contacts import Contact
from storage.crypto import Keys
from storage.database import Store, Tx
from storage.outbox import Outgoing
from storage.phones import Body
from storage.sealed import SEALED, Sealed
from storage.tables import metadata
from tests.storage.ground import STANDING, Ground, entry, lay, new_elder

NAMED = {each.table.name: each for each in SEALED}


def test_every_table_with_a_sealed_column_is_on_the_list() -> None:
    sealed = {table.name for table in metadata.tables.values() if any(
        isinstance(column.type, LargeBinary) for column in table.c)}
    assert sealed == NAMED.keys()


@pytest.mark.parametrize("sealed", SEALED, ids=lambda sealed: sealed.table.name)
def test_a_row_is_named_by_its_whole_primary_key(sealed: Sealed) -> None:
    assert sealed.key == tuple(column.name for column in sealed.table.primary_key)


def fill(tx: Tx, ground: Ground, keys: Keys, now: datetime) -> None:
    """A row of each kind whose ledger is there, written by that ledger."""
    elder = elders.add(tx, new_elder(ground.village, "单秀英", id_number="510502194001011234", phone="13912345678",
                                     facts={"address": "3组1号"}), STANDING, now)
    visit_id, _ = visits.submit(tx, entry(elder, "d1"), ground.visitor, now)
    found = visits.find(tx, ground.scope, visit_id)
    assert found is not None
    visits.void(tx, found, ground.coordinator, "记错了", now)
    accounts.bind(tx, "test", "7001", "7001", ground.visitor, now)
    accounts.keep_menu(tx, "test", "7001", keys.seal(b"[]", "accounts.menu", "test:7001"))
    drafts.add(tx, tx.new_id(now), drafts.new_tag(tx), ground.visitor, "visit", "h", b"{}", now)
    media.fill(tx, media.add(tx, "test", "photo", "ref", now), b"bytes")
    inbox.take(tx, "test", "update:1", b"said", "a", now)
    outbox.add(tx, Outgoing(tx.new_id(now), "test", "7001", "reply", "reply", {"parts": []}), now)
    proposal = proposals.add(tx, "life", ground.village.id, {"what": "moved"}, ground.visitor, now, elder_id=elder)
    waiting = proposals.find(tx, ground.scope, proposal)
    assert waiting is not None
    proposals.decide(tx, waiting, "refused", ground.coordinator, now, reason="不对")
    alert = alerts.add(tx, elder, ground.village.id, "help", "person", ground.visitor, "摔了一跤", now, now)
    alert_media.add(tx, alert, "place", ground.visitor, now, place="28.871,105.442 WGS-84")
    device_vendors.invite(tx, "anxin", "operator", now)
    vendor = device_vendors.named(tx, "anxin")
    assert vendor is not None
    device_events.add(tx, devices.known(tx, vendor.id, "A1", now), "e1", "heart_rate", now, {"per_minute": 38}, now)
    groups.add(tx, "wecom", "robot1", "robot", ground.village.id, ground.coordinator, now, "https://example/hook?key=1")
    alerts.end(tx, alert, "false_alarm", ground.visitor, {"reason": "没有摔"}, now)
    platform_tokens.take(tx, "wechat:wx1", now)
    platform_tokens.keep(tx, "wechat:wx1", "token", now)
    phones.add(tx, "phone1", Body(sent_at=1, text="您好"))
    contacts.add(tx, Contact(contacts.id_of("c", elder, 1), elder, ground.visitor, "2026-03-02", now, "phone", "trouble",
                             "膝盖疼"))
    asked = requests.find(tx, ground.scope, requests.add(
        tx, elder, "visit", "2026-03-02", ground.visitor, now, words="看看灶"))
    assert asked is not None
    requests.decline(tx, asked, ground.coordinator, "路断了", now)
    need = needs.find(tx, ground.scope, needs.add(tx, elder, "contact", "1", "膝盖疼", ground.visitor, now) or "")
    assert need is not None
    needs.arrange(tx, need, "请村医", ground.visitor, "2026-03-05", ground.coordinator, now)
    needs.close(tx, need, "好了", ground.visitor, now)


FILLED = {name for name in NAMED if name not in ("files", "jobs", "people")}


async def test_what_the_ledgers_seal_opens_by_the_list(store: Store, keys: Keys, now: datetime) -> None:
    ground = await store.run(lay(now))
    await store.run(lambda tx: fill(tx, ground, keys, now))

    def opened(tx: Tx) -> set[str]:
        found = set()
        for sealed in SEALED:
            rows = select(*(sealed.table.c[name] for name in sealed.key), *(
                sealed.table.c[name] for name in sealed.columns))
            for row in tx.all(rows):
                key, values = row[:len(sealed.key)], row[len(sealed.key):]
                for name, value in zip(sealed.columns, values, strict=True):
                    if value is not None:
                        keys.open(value, sealed.label(name), ":".join(key))
                        found.add(sealed.label(name))
        return found

    assert await store.read(opened) == {NAMED[name].label(column) for name in FILLED for column in NAMED[name].columns}
