"""What `doctor` says: the parts in use, and what an operator should look at."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot import audit_head, clock, rotation
from bot.app import Foundation
from bot.audit_head import HeadFileBroken
from bot.checks import telegram, wechat, wecom
from storage import areas, device_vendors, devices, held, key_file, outbox, resealing
from storage.ids import instant

KEY_AGE = 365  # days after which a new sealing key is due
CHECKS = {  # the setting that switches a platform on, and what it is asked
    "telegram": ("telegram_token", telegram.findings),
    "wechat": ("wechat_app_id", wechat.findings),
    "wecom": ("wecom_corp_id", wecom.findings),
}
HEAD_AGE = 3  # days without a new audit head while the chain grows


async def findings(base: Foundation) -> list[str]:
    """One finding a line; those that want something done begin with WARNING."""
    settings = base.settings
    waiting = await base.store.read(outbox.depth)
    channels = ["playground"] if settings.playground_on else []
    platforms = [(name, check) for name, (on, check) in CHECKS.items() if getattr(settings, on)]
    channels += [name for name, _ in platforms]
    found = [
        f"database  {base.store.engine}",
        f"keys      {settings.key_file.absolute()}",
        f"channels  {', '.join(channels) or 'none'}",
        f"waiting   {', '.join(f'{lane} {count}' for lane, count in waiting.items()) or 'nothing'}",
    ]
    if kept := await base.store.read(held.look):
        found.append(f"WARNING   held since a backup was restored: {kept}: python -m bot restore --send-waiting, "
                     "or --drop-waiting")
    found += await _devices(base)
    if settings.key_file.stat().st_mode & 0o077:
        found.append(f"WARNING   others on this machine may read {settings.key_file}: chmod 600")
    if settings.telegram_token and settings.telegram_domestic_reason:
        found.append(f"WARNING   Telegram is declared domestic: {settings.telegram_domestic_reason}")
    if settings.host not in ("127.0.0.1", "localhost", "::1") and settings.playground_on:
        found.append("WARNING   the playground is open to the network: anybody there can speak as anybody")
    found += [f"WARNING   the policy file has rules for {name}, which no area is called: see [areas] there"
              for name in base.policies.not_in(await base.store.read(areas.everything))]
    found += await base.store.read(lambda tx: clock.standing(
        tx, clock.wall() + (clock.kept_offset(tx) or timedelta(0))))
    for _, check in platforms:
        found += await check(settings)
    return found + await _privacy(base, datetime.now(UTC))


async def _devices(base: Foundation) -> list[str]:
    """Whose alarms are taken, by which doors, and devices that are nobody's."""
    vendors = [each.name for each in await base.store.read(device_vendors.everyone) if each.revoked_at is None]
    if not vendors:
        return []
    doors = ["HTTP", "MQTT"] if base.settings.mqtt_url else ["HTTP"]
    unknown, _ = await base.store.read(lambda tx: devices.unknown(tx, 1))
    found = [f"devices   of {', '.join(vendors)} by {' and '.join(doors)}"]
    if unknown:
        found.append(f"WARNING   {unknown} devices sent something and are bound to nobody: see /devices in the chat")
    return found


async def _privacy(base: Foundation, now: datetime) -> list[str]:
    """Where keys and data lie, how old the newest key is, an unfinished rotation, the audit head's last export."""
    settings, keys = base.settings, base.keys.sealing
    age = (now - key_file.newest_made(settings.key_file)).days
    found = [f"newest    key {keys.current}, {age} days old"]
    if age > KEY_AGE:
        found.append("WARNING   the newest sealing key is over a year old: python -m bot keys rotate")
    if settings.database.startswith("sqlite:///"):
        data = Path(settings.database.removeprefix("sqlite:///")).absolute().parent
        folder = settings.key_file.absolute().parent
        if data.resolve() == folder.resolve():
            found.append(f"WARNING   keys and database lie in one folder ({folder}): a backup of it opens everything")
    if rotation.unfinished(base):
        since = await base.store.read(resealing.under_way)
        begun = f", begun {instant(since).date()}" if since else ""
        found.append(f"WARNING   a key rotation is unfinished{begun}: serve goes on with it, as does keys rotate")
    return found + _head(audit_head.beside(settings.key_file), now)


def _head(path: Path, now: datetime) -> list[str]:
    try:
        kept = audit_head.read(path)
    except HeadFileBroken as error:
        return [f"WARNING   {error}"]
    if not kept:
        return [f"WARNING   no head of the audit chain was written yet ({path}): serve does it daily"]
    last = kept[-1]
    days = (now - last.kept_at).days
    found = [f"audit     head of line {last.seq} written {last.kept_at.date()} to {path}"]
    if days > HEAD_AGE:
        found.append(f"WARNING   the last head of the audit chain was written {days} days ago: serve does it daily")
    return found
