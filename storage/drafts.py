"""Drafts: forms on their way. A draft belongs to a person; a chat only shows it."""

from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, insert, literal_column, select, update

from storage.database import Tx
from storage.ids import millis
from storage.tables import drafts

LABEL = "drafts.body"

_ADD = insert(drafts)
_THIS = drafts.c.id == bindparam("draft")
_SAVE = update(drafts).where(_THIS).values(body=bindparam("new_body"), updated_at=bindparam("at"))
_RENAME = update(drafts).where(_THIS).values(tag=bindparam("new_tag"), form_hash=bindparam("new_hash"))
_CLOSE = update(drafts).where(_THIS, drafts.c.state == "open").values(
    state=bindparam("new_state"), result=bindparam("new_result"), updated_at=bindparam("at"))
_OPEN = update(drafts).where(_THIS, drafts.c.state == "paused").values(state="open", updated_at=bindparam("at"))
_COLUMNS = select(drafts.c.id, drafts.c.tag, drafts.c.form, drafts.c.form_hash, drafts.c.body, drafts.c.state,
                  drafts.c.result, drafts.c.created_at)
_PAUSED = _COLUMNS.where(  # written out: a parameter is held against the partial index, at each execution anew
    drafts.c.person_id == bindparam("person"), drafts.c.state == literal_column("'paused'")).order_by(
    drafts.c.created_at, drafts.c.id).limit(bindparam("count"))
_TAGGED = _COLUMNS.where(drafts.c.tag == bindparam("tag"), drafts.c.person_id == bindparam("person"))
_ONE = _COLUMNS.where(_THIS, drafts.c.person_id == bindparam("person"))


@dataclass(frozen=True, slots=True)
class Kept:
    """A draft as it is kept, its body opened. `result` is the visit it became; `created_at` in milliseconds."""

    id: str
    tag: str
    form: str
    form_hash: str
    body: bytes
    state: str
    result: str | None
    created_at: int


def new_tag(tx: Tx) -> str:
    """An unguessable name for a draft's buttons: 80 bits in 16 characters."""
    return b32encode(tx.random_bytes(10)).decode()


def add(tx: Tx, draft_id: str, tag: str, person_id: str, form: str, form_hash: str, body: bytes, now: datetime,
        state: str = "open") -> None:
    """Keeps a new draft. A person has one open draft at most: pause that first."""
    tx.run(_ADD, id=draft_id, tag=tag, person_id=person_id, form=form, form_hash=form_hash, state=state,
           body=tx.keys.seal(body, LABEL, draft_id), result=None, created_at=millis(now), updated_at=millis(now))


def save(tx: Tx, draft_id: str, body: bytes, now: datetime) -> bytes:
    """One statement, run in every turn of a form. Gives the body as it is kept, sealed."""
    sealed = tx.keys.seal(body, LABEL, draft_id)
    tx.run(_SAVE, draft=draft_id, new_body=sealed, at=millis(now))
    return sealed


def rename(tx: Tx, draft_id: str, tag: str, form_hash: str) -> None:
    """Moves a draft to a newer form: old buttons are of no use any more."""
    tx.run(_RENAME, draft=draft_id, new_tag=tag, new_hash=form_hash)


def close(tx: Tx, draft_id: str, state: str, now: datetime, result: str | None = None) -> bool:
    """From open to `paused`, `submitted` or `cancelled`; False where it was not open."""
    return tx.run(_CLOSE, draft=draft_id, new_state=state, new_result=result, at=millis(now)) == 1


def reopen(tx: Tx, draft_id: str, now: datetime) -> bool:
    """From paused to open; False where it was not paused."""
    return tx.run(_OPEN, draft=draft_id, at=millis(now)) == 1


def paused(tx: Tx, person_id: str, count: int = 5) -> list[Kept]:
    """What the person put aside, oldest first."""
    return [_kept(tx, row) for row in tx.all(_PAUSED, person=person_id, count=count)]


def tagged(tx: Tx, person_id: str, tag: str) -> Kept | None:
    """The person's own draft that a button belongs to."""
    row = tx.one(_TAGGED, person=person_id, tag=tag)
    return _kept(tx, row) if row else None


def find(tx: Tx, person_id: str, draft_id: str) -> Kept | None:
    row = tx.one(_ONE, person=person_id, draft=draft_id)
    return _kept(tx, row) if row else None


def open_body(tx: Tx, draft_id: str, sealed: bytes) -> bytes:
    """The body of a draft whose row was read elsewhere (`accounts.writer`)."""
    return tx.keys.open(sealed, LABEL, draft_id)


def _kept(tx: Tx, row: tuple[str, str, str, str, bytes, str, str | None, int]) -> Kept:
    draft_id, tag, form, form_hash, body, state, result, created_at = row
    return Kept(draft_id, tag, form, form_hash, open_body(tx, draft_id, body), state, result, created_at)
