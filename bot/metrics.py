"""What `/metrics` shows. Labels name channels and outcomes, never people."""

from prometheus_client import Counter, Gauge

TURNS = Counter("tanfang_turns_total", "Inbound messages by channel and outcome", ["channel", "outcome"])
SENDS = Counter("tanfang_sends_total", "Outgoing messages by channel and outcome", ["channel", "outcome"])
WAITING = Gauge("tanfang_outbox_waiting", "Messages waiting to be sent, by lane", ["lane"])
