"""`python -m bot figures verify`: counts every frozen month again from the raw log and compares."""

from collections.abc import AsyncIterator

from scheduler import freezing
from scheduler.figures import Month, Numbers
from scheduler.policy import Policies
from storage import areas, figures
from storage.database import Store, Tx

ByClass = dict[str, Numbers]


async def differences(store: Store, policies: Policies) -> AsyncIterator[tuple[Month, list[str]]]:
    """Each frozen month, oldest first, with a line for each village and class whose numbers are others than frozen.

    The policy is today's: where rules of windows changed since, so do the numbers.
    """
    for month in await store.read(lambda tx: freezing.frozen_months(tx, policies)):
        found: list[str] = []
        village = await store.read(lambda tx: figures.village_after(tx, ""))
        while village:
            found += await _village(store, policies, month, village)
            village = await store.read(lambda tx, after=village: figures.village_after(tx, after))  # type: ignore[misc]
        yield month, found


async def _village(store: Store, policies: Policies, month: Month, village: str) -> list[str]:
    until = freezing.cut_off(month, policies)
    kept, called = await store.read(lambda tx: _frozen(tx, month, village))
    now: ByClass = {}
    after: str | None = ""
    while after is not None:
        portion = await store.read(lambda tx, after=after: freezing.portion(  # type: ignore[misc]
            tx, village, (month,), until, after, policies))
        for each in portion.counted:
            now[each.care_class] = now.get(each.care_class, Numbers()) + each.numbers
        after = portion.last
    return [f"{month} {called} {care_class}: {name} {getattr(was, name)} frozen, {getattr(is_, name)} counted again"
            for care_class in sorted(kept.keys() | now.keys())
            if (was := kept.get(care_class, Numbers())) != (is_ := now.get(care_class, Numbers()))
            for name in Numbers.__slots__ if getattr(was, name) != getattr(is_, name)]


def _frozen(tx: Tx, month: Month, village: str) -> tuple[ByClass, str]:
    area = areas.find(tx, village)
    assert area is not None  # areas are not deleted
    return {each.care_class: Numbers(**each.numbers) for each in figures.frozen(tx, area.path, str(month))}, area.name
