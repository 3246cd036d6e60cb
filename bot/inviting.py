"""Inviting somebody from the command line: the first coordinators come in this way."""

from datetime import date, datetime

from bot.app import Foundation
from storage import areas, elders, invitations, people
from storage.areas import Area
from storage.database import Tx
from storage.people import ROLES

OPERATOR = "operator"  # who the audit chain says did it


class InvitationRefused(Exception):
    """What is wrong with the request, for the operator."""


async def make(base: Foundation, name: str, area: str, roles: tuple[str, ...], kind: str | None,
               elder_names: tuple[str, ...], now: datetime) -> list[str]:
    """Makes the person and gives the lines to print. Raises InvitationRefused."""
    unknown = [role for role in roles if role not in ROLES]
    if unknown or not roles:
        raise InvitationRefused(f"--role must be one of {', '.join(ROLES)}")
    day = now.astimezone(base.policy.zone).date()
    settings = base.settings

    def work(tx: Tx) -> str:
        where = area_called(tx, area)
        person = people.add(tx, where.id, name, roles, now, kind)
        tx.note(now, OPERATOR, "person.add", person.id, roles)
        for elder_name in elder_names:
            elder = _entrust(tx, person.id, where, elder_name, roles, day)
            tx.note(now, OPERATOR, "elder.entrust", elder, [person.id])
        return invitations.make(tx, person.id, OPERATOR, now)

    token = await base.store.run(work)
    lines = [f"invitation for {name}, valid for {invitations.VALID.days} days, once:"]
    if settings.playground_on:
        lines.append(f"  {settings.public}/playground?start={token}")
    if settings.telegram_token:
        lines.append(f"  {await _telegram_link(base, token)}")
    lines.append(f"  or send the bot: /start {token}")
    return lines


def area_called(tx: Tx, wanted: str) -> Area:
    """The one area of this name or path. Raises InvitationRefused."""
    *above, name = wanted.split("/")
    found = [area for area in areas.named(tx, name) if _lies_in(tx, area, above)]
    if len(found) != 1:
        raise InvitationRefused(f"{'no area' if not found else 'several areas'} called {wanted}; "
                                "give a path such as 云溪镇/建设村")
    return found[0]


def _lies_in(tx: Tx, area: Area, above: list[str]) -> bool:
    names = [found.name for part in area.path.split("/")[:-2] if (found := areas.find(tx, part))]
    return names[len(names) - len(above):] == above


def _entrust(tx: Tx, person_id: str, area: Area, elder_name: str, roles: tuple[str, ...], day: date) -> str:
    """Gives the elder's id."""
    found = elders.ids_named(tx, area.path, elder_name)
    if len(found) != 1:
        raise InvitationRefused(f"{'no elder' if not found else 'several elders'} of that name in {area.name}")
    for role in roles:
        if role in ("visitor", "first_contact", "family"):
            people.entrust(tx, person_id, found[0], role, day.isoformat())
    return found[0]


async def _telegram_link(base: Foundation, token: str) -> str:
    from bot.channels.telegram import Telegram

    telegram = Telegram(base.settings.telegram_token, base.settings.telegram_api_url, place_label="-",
                        now=lambda: datetime.now().astimezone())
    try:
        return f"https://t.me/{await telegram.me()}?start={token}"
    finally:
        await telegram.close()
