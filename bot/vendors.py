"""Vendors of devices from the command line: a token for each, printed once, and taken back."""

from datetime import datetime

from bot.app import Foundation
from bot.devices.mqtt import ALARMS, ANSWERS
from bot.devices.shapes import PATH
from bot.inviting import OPERATOR, InvitationRefused
from storage import device_vendors
from storage.database import Tx


async def invite(base: Foundation, name: str, now: datetime) -> list[str]:
    """A new token for this vendor, and the lines to print. Raises InvitationRefused."""
    if not device_vendors.NAME.fullmatch(name):
        raise InvitationRefused("--device-vendor must be 2 to 40 of a-z, 0-9 and -, and not begin with -")

    def work(tx: Tx) -> tuple[bool, str]:
        return device_vendors.named(tx, name) is not None, device_vendors.invite(tx, name, OPERATOR, now)

    before, token = await base.store.run(work)
    lines = [f"device vendor {name}; this token is shown once, and kept only as a hash:", f"  {token}",
             f"  POST {base.settings.public}{PATH} with Authorization: Bearer and the token; docs/devices.md says how"]
    if base.settings.mqtt_url:
        lines.append(f"  or MQTT: {ALARMS.format(name)}, answered on {ANSWERS.format(name)}; "
                     "let the broker allow nobody else there")
    return [*lines, "  the token that this vendor had before holds no longer"] if before else lines


async def revoke(base: Foundation, name: str, now: datetime) -> list[str]:
    """Nothing more is taken from this vendor. Raises InvitationRefused where nothing was."""
    if not await base.store.run(lambda tx: device_vendors.revoke(tx, name, OPERATOR, now)):
        raise InvitationRefused(f"no device vendor {name} is invited")
    return [f"device vendor {name}: nothing more is taken from it; what it sent is kept"]
