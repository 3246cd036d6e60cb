"""看照片, 听语音: what was added to an alert, one at a time, for who may see the alert; never on a channel abroad."""

from conversations.engine import Part
from conversations.turn import Ask
from storage import alert_media, media


def see(ask: Ask, rest: str) -> tuple[Part, ...]:
    """One photo or voice note; it is read when it is sent."""
    found = alert_media.find(ask.tx, ask.scope, rest)
    if found is None or found[1].kind == "place":
        return (("alerts.gone", {}),)
    if ask.abroad:
        return (("privacy.abroad", {}),)
    alert, added = found
    if media.body(ask.tx, added.media_id or "") is None:
        return (("added.coming", {"step": added.kind}),)
    ask.note("alert.media", alert.elder_id or alert.id, (alert.called,))
    return (("added.here", {"number": alert.called, "step": added.kind, "document": {
        "kind": "alert_media", "added": added.id, "person": ask.writer.person_id}}),)


COMMANDS = {"alert_media": see}
