"""A short page for somebody whose link leads no further: nothing of it is kept, and nothing told to others."""

from starlette.responses import HTMLResponse, Response

from conversations.words_book import Words

QUIET = {"cache-control": "no-store", "referrer-policy": "no-referrer",
         "content-security-policy": "default-src 'none'"}


def page(words: Words, key: str, status: int) -> Response:
    """One sentence."""
    return HTMLResponse(f'<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
                        f'<p>{words.say(key)}</p>', status, QUIET)
