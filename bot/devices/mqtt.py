"""The door by MQTT: `tanfang/devices/{vendor}/alarms`, answered on `tanfang/devices/{vendor}/answers`.

The broker says who may publish under a vendor's name (docs/devices.md). A message is acknowledged to the broker
(PUBACK) only once it is on disk; until then the broker keeps it, and delivers it again to a session of the same name.
"""

import asyncio
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import aiomqtt
import structlog

from bot.devices.intake import Intake
from bot.devices.shapes import Answer, Wrong
from bot.metrics import alarms
from storage import device_vendors
from storage.database import StoreUnavailable

log = structlog.get_logger()

ALARMS, ANSWERS = "tanfang/devices/{}/alarms", "tanfang/devices/{}/answers"
QOS = 1
AT_ONCE = 64  # messages taken together: they share their commits
PORTS = {"mqtt": 1883, "mqtts": 8883}
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0  # seconds before it connects again


class NotKept(Exception):
    """The store took nothing, and the message was not acknowledged: connect again, and it comes again."""


class Client(aiomqtt.Client):
    """aiomqtt's client, whose messages are acknowledged by hand: of paho's two ways aiomqtt offers only the other."""

    def acknowledge_by_hand(self) -> None:
        """Called before it connects."""
        self._client.manual_ack_set(True)

    def acknowledge(self, message: aiomqtt.Message) -> None:
        """The broker may forget it."""
        self._client.ack(message.mid, message.qos)


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is, and as whom this process comes to it: a session of this name is kept there."""

    host: str
    port: int
    session: str
    tls: bool = False
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def broker(url: str, port: int) -> Broker:
    """From `mqtt[s]://[user:password@]host[:port][/session]`; without a session, the machine's name and our port."""
    parts = urlsplit(url)
    session = unquote(parts.path.strip("/")) or f"tanfang-{socket.gethostname()}-{port}"
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    return Broker(parts.hostname or "", parts.port or PORTS[parts.scheme], session, parts.scheme == "mqtts", user,
                  password)


async def listen(at: Broker, intake: Intake, stop: asyncio.Event) -> None:
    """Takes what the broker has until `stop` is set; connects again whenever it must."""
    wait = FIRST_WAIT
    while not stop.is_set():
        connected = asyncio.Event()
        session = asyncio.create_task(_session(at, intake, connected))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({session, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not session.done():
            session.cancel()
        try:
            await session
        except asyncio.CancelledError:
            return
        except (aiomqtt.MqttError, NotKept, OSError) as error:
            log.warning("the MQTT broker was left", error=type(error).__name__)
        except Exception as error:  # a fault of ours: what was not acknowledged comes again
            log.error("the MQTT broker was left", error=type(error).__name__)
        wait = FIRST_WAIT if connected.is_set() else min(wait * 2, LONGEST_WAIT)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), wait)


async def _session(at: Broker, intake: Intake, connected: asyncio.Event) -> None:
    client = Client(at.host, at.port, username=at.user, password=at.password, identifier=at.session,
                    clean_session=False, tls_params=aiomqtt.TLSParameters() if at.tls else None)
    client.acknowledge_by_hand()
    async with client:
        await client.subscribe(ALARMS.format("+"), qos=QOS)
        connected.set()
        log.info("listening at the MQTT broker", session=at.session)
        messages = client.messages
        async for message in messages:
            batch = [message]
            while len(batch) < AT_ONCE and len(messages):
                batch.append(await anext(messages))
            await _take(client, intake, batch)


async def _take(client: Client, intake: Intake, batch: list[aiomqtt.Message]) -> None:
    """Keeps them, acknowledges what was kept or can never be, and answers each. Raises NotKept where one was not."""
    told = await asyncio.gather(*(_answer(intake, message) for message in batch))
    for message, (status, _) in zip(batch, told, strict=True):
        if status != 503:
            client.acknowledge(message)
    for message, (_, answer) in zip(batch, told, strict=True):
        await client.publish(ANSWERS.format(_vendor(message)), answer.model_dump_json(exclude_defaults=True), qos=QOS)
    if any(status == 503 for status, _ in told):
        raise NotKept


async def _answer(intake: Intake, message: aiomqtt.Message) -> tuple[int, Answer]:
    """As `Intake.take`, for the vendor whom the topic names."""
    name, body = _vendor(message), message.payload
    try:
        vendor = await intake.store.read(lambda tx: device_vendors.named(tx, name))
    except StoreUnavailable:
        return 503, Answer(errors=(Wrong(where="server", what="nothing was kept yet"),))
    if vendor is None:
        alarms("mqtt", "no_token").inc()
        return 401, Answer(errors=(Wrong(where="topic", what="no vendor of this name is invited"),))
    return await intake.take(vendor, body if isinstance(body, bytes) else b"", "mqtt")


def _vendor(message: aiomqtt.Message) -> str:
    return message.topic.value.split("/")[2]
