"""A link as a QR code: a picture for a chat, or lines of text for a terminal."""

from io import BytesIO, StringIO


def png(link: str) -> bytes:
    """A black and white PNG, large enough to be taken from one phone's screen by another."""
    import segno  # late: few turns want one

    out = BytesIO()
    segno.make_qr(link, error="m").save(out, kind="png", scale=8, border=4)
    return out.getvalue()


def text(link: str) -> str:
    """Half blocks, for a terminal."""
    import segno

    out = StringIO()
    segno.make_qr(link, error="l").terminal(out, border=2, compact=True)
    return out.getvalue()
