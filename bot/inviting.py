"""Inviting somebody from the command line: the first coordinators come in this way."""

from datetime import date, datetime

from bot import clock as clocks
from bot.app import PLAYGROUND_LINK, TELEGRAM_LINK, Foundation
from conversations import binding
from conversations.documents import qr
from scheduler import calls
from storage import areas, assignments, elders, invitations, people
from storage.areas import Area
from storage.database import Tx
from storage.people import OWN, ROLES

OPERATOR = "operator"  # who the audit chain says did it


class InvitationRefused(Exception):
    """What is wrong with the request, for the operator."""


async def make(base: Foundation, name: str, area: str, roles: tuple[str, ...], kind: str | None,
               elder_names: tuple[str, ...], now: datetime) -> list[str]:
    """Makes the person and gives the lines to print. Raises InvitationRefused."""
    allowed = [role for role in ROLES if role != OWN]  # an elder's own comes from his page, with his yes
    unknown = [role for role in roles if role not in allowed]
    if unknown or not roles:
        raise InvitationRefused(f"--role must be one of {', '.join(allowed)}")
    day = now.astimezone(base.policy.zone).date()
    settings = base.settings

    def work(tx: Tx) -> tuple[str, str | None]:
        where = area_called(tx, area)
        kinds = base.policies.of(tx, where.id).visitor_kinds
        if ("visitor" in roles or kind) and kind not in kinds:
            raise InvitationRefused(f"{f'no kind {kind} there' if kind else 'a visitor needs a kind'}; "
                                    f"--kind must be one of {', '.join(kinds)}")
        person = people.add(tx, where.id, name, roles, now, kind)
        tx.note(now, OPERATOR, "person.add", person.id, roles)
        for elder_name in elder_names:
            elder = _entrust(tx, person.id, where, elder_name, roles, day)
            tx.note(now, OPERATOR, "elder.entrust", elder, [person.id])
            if "family" in roles:
                calls.begin(tx, person.id, elder, base.policies.of(tx, where.id), now)
        token = invitations.make(tx, person.id, OPERATOR, now)
        return token, _code(tx, token, day, now)

    token, code = await base.store.run(work)
    lines = [f"invitation for {name}, valid for {invitations.VALID.days} days, once:"]
    if settings.playground_on:
        lines += _link(f"{settings.public}{PLAYGROUND_LINK}{token}")
    if settings.telegram_token:
        lines += _link(TELEGRAM_LINK.format(await _telegram_name(base)) + token)
    if settings.wechat_app_id:
        lines += _link(await _wechat_link(base, token))
    if code is not None:
        lines.append(f"  spoken code, good for {invitations.CODE_VALID.seconds // 60} minutes; "
                     f"a coordinator confirms who typed it: {code}")
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
            assignments.entrust(tx, person_id, found[0], role, day.isoformat())
    return found[0]


def _link(link: str) -> list[str]:
    return [f"  {link}", *(f"  {line}" for line in qr.text(link).splitlines())]


def _code(tx: Tx, token: str, day: date, now: datetime) -> str | None:
    """The spoken code, where there is a coordinator to say whether it is he who typed it."""
    found = invitations.by_token(tx, token)
    if found is None or not binding.deciders(tx, found.person_id, found.area_id, OPERATOR, day):
        return None
    return invitations.new_code(tx, found.id, OPERATOR, now)


async def _telegram_name(base: Foundation) -> str:
    from bot.channels.telegram import Telegram

    telegram = Telegram(base.settings.telegram_token, base.settings.telegram_api_url, place_label="-",
                        now=lambda: datetime.now().astimezone())
    try:
        return await telegram.me()
    finally:
        await telegram.close()


async def _wechat_link(base: Foundation, token: str) -> str:
    """What stands in the QR code by which somebody follows and comes in at once; the page that shows it as a picture
    where the platform does not answer.
    """
    from bot.channels import wechat_wiring
    from bot.channels.base import SendFailure

    wechat = wechat_wiring.build(base.settings, base.store, clocks.wall, base.policy.zone)
    try:
        return (await wechat.join(token)).link
    except SendFailure:
        return f"{base.settings.public}{wechat_wiring.JOIN_PATH}/{token}"
    finally:
        await wechat.close()
