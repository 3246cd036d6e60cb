"""What is sealed opens only in its own place; what is looked up by a blind index tells nothing."""

import asyncio
from datetime import datetime
from pathlib import Path

import pytest

from storage import elders
from storage.crypto import Keys, SealBroken
from storage.database import Store, Tx
from storage.ids import uuid7
from storage.key_file import KeyFileError, load_keys
from tests.storage.ground import STANDING, TAKEN, lay, new_elder

ID_NUMBER = "510502194001011234"


def test_a_sealed_value_opens_in_its_own_row_and_column(keys: Keys) -> None:
    assert keys.open(keys.seal(b"x", "elders.phone", "e1"), "elders.phone", "e1") == b"x"


@pytest.mark.parametrize(("label", "row"), [("elders.phone", "e2"), ("elders.facts", "e1"), ("elders.phon", "ee1")])
def test_a_sealed_value_moved_to_another_row_or_column_does_not_open(keys: Keys, label: str, row: str) -> None:
    sealed = keys.seal(b"x", "elders.phone", "e1")
    with pytest.raises(SealBroken, match=row):
        keys.open(sealed, label, row)


@pytest.mark.parametrize("change", [
    lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1]), lambda sealed: sealed[:8], lambda sealed: b"",
    lambda sealed: b"k2" + sealed[2:], lambda sealed: b"\xff" + sealed])
def test_a_sealed_value_that_was_changed_or_cut_does_not_open(keys: Keys, change: object) -> None:
    sealed = change(keys.seal(b"x", "elders.phone", "e1"))  # type: ignore[operator]
    with pytest.raises(SealBroken) as broken:
        keys.open(sealed, "elders.phone", "e1")
    assert "x" not in str(broken.value).replace("elders.phone", "").split()


def test_the_same_value_is_sealed_differently_each_time(keys: Keys) -> None:
    assert keys.seal(b"x", "a", "b") != keys.seal(b"x", "a", "b")


def test_a_value_sealed_under_an_older_key_still_opens() -> None:
    older = Keys({"k1": b"1" * 32}, "k1", b"i", b"a")
    both = Keys({"k1": b"1" * 32, "k2": b"2" * 32}, "k2", b"i", b"a")
    assert both.open(older.seal(b"x", "a", "b"), "a", "b") == b"x"
    assert both.seal(b"x", "a", "b").startswith(b"k2:")


def test_a_blind_index_is_equal_for_equal_values_of_one_label_and_one_key(keys: Keys) -> None:
    assert keys.blind(ID_NUMBER, "a") == keys.blind(ID_NUMBER, "a")
    others = {keys.blind(ID_NUMBER, "b"), keys.blind(ID_NUMBER[::-1], "a"),
              Keys({"k": bytes(32)}, "k", b"other", b"").blind(ID_NUMBER, "a")}
    assert keys.blind(ID_NUMBER, "a") not in others


async def test_an_id_number_is_found_and_kept_once_and_stands_nowhere_on_the_disk(
    sqlite_store: Store, sqlite_url: str, now: datetime
) -> None:
    ground = await sqlite_store.run(lay(now))

    def register(tx: Tx) -> str:
        return elders.add(tx, new_elder(ground.village, id_number=ID_NUMBER, phone="13800001234"), STANDING, now)

    elder = await sqlite_store.run(register)
    assert await sqlite_store.read(lambda tx: elders.with_id_number(tx, ID_NUMBER)) == elder
    assert await sqlite_store.read(lambda tx: elders.with_id_number(tx, ID_NUMBER[::-1])) is None
    with pytest.raises(TAKEN):
        await sqlite_store.run(register)
    files = list(Path(sqlite_url.removeprefix("sqlite:///")).parent.glob("tanfang.db*"))
    on_disk = b"".join(file.read_bytes() for file in files)
    assert elder.encode() in on_disk
    assert ID_NUMBER.encode() not in on_disk and b"13800001234" not in on_disk


def test_a_key_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "k.json"
    sealed = load_keys(path, create=True).seal(b"x", "a", "b")
    assert load_keys(path, create=True).open(sealed, "a", "b") == b"x"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


async def test_two_that_make_the_key_file_at_once_use_the_same_keys(tmp_path: Path) -> None:
    path = tmp_path / "k.json"
    made = await asyncio.gather(*(asyncio.to_thread(load_keys, path, create=True) for _ in range(8)))
    again = load_keys(path, create=False)
    assert all(again.open(keys.seal(b"x", "a", "b"), "a", "b") == b"x" for keys in made)


@pytest.mark.parametrize("content", [None, "", "{}", '{"current": "k1", "sealing": {}, "index": "", "audit": ""}'])
def test_a_key_file_that_is_missing_or_broken_is_named(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "k.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(KeyFileError, match=r"k\.json"):
        load_keys(path, create=False)


def test_ids_of_one_moment_sort_as_they_were_made(now: datetime) -> None:
    new_id = uuid7()
    ids = [new_id(now) for _ in range(10_000)]
    assert ids == sorted(set(ids))
    assert {(len(made), made[12], made[16] in "89ab") for made in ids} == {(32, "7", True)}


