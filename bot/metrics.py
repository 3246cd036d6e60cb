"""What `/metrics` shows. Labels name channels and outcomes, never people."""

from functools import cache

from prometheus_client import Counter, Gauge

_TURNS = Counter("tanfang_turns_total", "Inbound messages by channel and outcome", ["channel", "outcome"])
_SENDS = Counter("tanfang_sends_total", "Outgoing messages by channel and outcome", ["channel", "outcome"])
_ALARMS = Counter("tanfang_device_alarms_total", "Alarms of devices by door and outcome", ["door", "outcome"])
WAITING = Gauge("tanfang_outbox_waiting", "Messages waiting to be sent, by lane", ["lane"])


@cache
def turns(channel: str, outcome: str) -> Counter:
    """The counter of turns with these labels."""
    return _TURNS.labels(channel, outcome)


@cache
def sends(channel: str, outcome: str) -> Counter:
    """The counter of sent messages with these labels."""
    return _SENDS.labels(channel, outcome)


@cache
def alarms(door: str, outcome: str) -> Counter:
    """The counter of alarms from devices with these labels."""
    return _ALARMS.labels(door, outcome)
