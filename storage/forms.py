"""Form definitions by content hash, kept for as long as a record speaks of them."""

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

from storage.database import Tx
from storage.tables import forms

_KEEP = insert(forms).on_conflict_do_nothing(index_elements=["hash"])
_ALL = select(forms.c.definition)
_ONE = select(forms.c.name, forms.c.definition).where(forms.c.hash == bindparam("form_hash"))


def keep(tx: Tx, form_hash: str, name: str, definition: str) -> None:
    """Keeps a definition; the same one again changes nothing."""
    tx.run(_KEEP, hash=form_hash, name=name, definition=definition)


def definition(tx: Tx, form_hash: str) -> str | None:
    """The definition as JSON text."""
    row = tx.one(_ONE, form_hash=form_hash)
    return row[1] if row else None


def definitions(tx: Tx) -> list[str]:
    """Every definition that is kept: a handful over the years."""
    return [text for text, in tx.all(_ALL)]
