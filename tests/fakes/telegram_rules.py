"""What the Bot API refuses, in its own words. Source: core.telegram.org/bots/api and the server's answers."""

import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024


class Refusal(Exception):
    """An answer with `ok: false`."""

    def __init__(self, status: int, description: str, parameters: dict[str, Any] | None = None) -> None:
        super().__init__(description)
        self.status, self.description, self.parameters = status, description, parameters


class Fault(Refusal):
    """What a bot must never send although the real API may let it pass: the test fails too."""


def _bad(what: str) -> Refusal:
    return Refusal(400, f"Bad Request: {what}")


_SENDING = (
    "business_connection_id message_thread_id direct_messages_topic_id disable_notification protect_content"
    " allow_paid_broadcast message_effect_id suggested_post_parameters reply_parameters reply_markup"
)
_EDITING = "business_connection_id inline_message_id"

# method -> (required, optional)
METHODS: dict[str, tuple[set[str], set[str]]] = {
    name: (set(required.split()), set(optional.split()))
    for name, required, optional in (
        ("getMe", "", ""),
        ("getUpdates", "", "offset limit timeout allowed_updates"),
        (
            "setWebhook",
            "url",
            "certificate ip_address max_connections allowed_updates drop_pending_updates secret_token",
        ),
        ("deleteWebhook", "", "drop_pending_updates"),
        ("getWebhookInfo", "", ""),
        ("setMyCommands", "commands", "scope language_code"),
        ("sendMessage", "chat_id text", f"{_SENDING} parse_mode entities link_preview_options"),
        (
            "sendDocument",
            "chat_id document",
            f"{_SENDING} thumbnail caption parse_mode caption_entities disable_content_type_detection",
        ),
        (
            "editMessageText",
            "chat_id message_id text",
            f"{_EDITING} parse_mode entities link_preview_options reply_markup",
        ),
        ("editMessageReplyMarkup", "chat_id message_id", f"{_EDITING} reply_markup"),
        ("answerCallbackQuery", "callback_query_id", "text show_alert url cache_time"),
        ("getFile", "file_id", ""),
    )
}
NAMES = {name.lower(): name for name in METHODS}  # the API takes a method's name in any case

_EMPTY = {"text": "message text is empty", "chat_id": "chat_id is empty", "url": "URL is empty"}


def check_fields(method: str, params: Mapping[str, Any]) -> None:
    required, optional = METHODS[method]
    for name in required:
        if name not in params:
            raise _bad(_EMPTY.get(name, f"there is no {name} in the request"))
    unknown = params.keys() - required - optional
    if unknown:
        raise Fault(400, f"Bad Request: {method} has no parameter {sorted(unknown)}")


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def shown_text(params: Mapping[str, Any], name: str = "text") -> str:
    """The text as a person sees it."""
    text = str(params.get(name, ""))
    mode = params.get("parse_mode", "")
    if mode == "HTML":
        text = _html(text)
    elif mode:
        raise Fault(400, "Bad Request: unsupported parse_mode")
    text = text.strip()
    if name == "text" and not text:
        raise _bad("message text is empty")
    if units(text) > (TEXT_LIMIT if name == "text" else CAPTION_LIMIT):
        raise _bad("message is too long" if name == "text" else "message caption is too long")
    return text


class _Html(HTMLParser):
    TAGS = frozenset(
        ("b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "a", "code", "pre", "blockquote")
    )

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.open = "", list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.TAGS:
            raise _bad(f'can\'t parse entities: Unsupported start tag "{tag}" at byte offset 0')
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise _bad("can't parse entities: Unexpected end tag at byte offset 0")

    def handle_data(self, data: str) -> None:
        self.text += data


def _html(text: str) -> str:
    for found in re.finditer(r"&(?!(?:lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);)\w+;", text):
        raise _bad(f"can't parse entities: Unsupported entity at byte offset {found.start()}")
    if re.search(r"<(?![a-zA-Z/])", text):
        raise _bad('can\'t parse entities: Unsupported start tag "" at byte offset 0')
    parser = _Html()
    parser.feed(text)
    parser.close()
    if parser.open:
        raise _bad(
            f"can't parse entities: Can't find end tag corresponding to start tag \"{parser.open[-1]}\""
        )
    return parser.text


def parsed(params: Mapping[str, Any], name: str) -> Any:
    """A parameter that is JSON, or None where it is not given."""
    if name not in params:
        return None
    try:
        return json.loads(params[name])
    except ValueError:
        raise _bad(f"can't parse {name.replace('_', ' ')} JSON object") from None


def keyboard(params: Mapping[str, Any], private: bool) -> tuple[list[list[dict[str, Any]]], str]:
    """The rows of a keyboard and its kind: inline, reply, or "" for none."""
    markup = parsed(params, "reply_markup")
    if markup is None:
        return [], ""
    if not isinstance(markup, dict):
        raise _bad("object expected as reply markup")
    if "inline_keyboard" in markup:
        _only(markup, {"inline_keyboard"})
        rows = _rows(markup["inline_keyboard"])
        for row in rows:
            for button in row:
                _inline_button(button)
        return rows, "inline" if rows else ""
    if "keyboard" in markup:
        _only(
            markup,
            {
                *("keyboard", "is_persistent", "resize_keyboard"),
                *("one_time_keyboard", "input_field_placeholder", "selective"),
            },
        )
        rows = _rows(markup["keyboard"])
        for row in rows:
            for button in row:
                _only(button, {"text", "request_location", "request_contact"})
                if not button.get("text"):
                    raise _bad("keyboard button text must be non-empty")
                if button.get("request_location") and not private:
                    raise _bad("location can be requested in private chats only")
        return rows, "reply"
    if "remove_keyboard" in markup:
        _only(markup, {"remove_keyboard", "selective"})
        return [], ""
    raise Fault(400, "Bad Request: reply markup of an unknown kind")


def _inline_button(button: dict[str, Any]) -> None:
    _only(button, {"text", "callback_data", "url"})
    if not button.get("text"):
        raise _bad("text buttons are unallowed in the inline keyboard")
    if ("callback_data" in button) == ("url" in button):
        raise Fault(400, "Bad Request: a button needs exactly one of callback_data and url")
    data = button.get("callback_data", "x")
    if not isinstance(data, str) or not 1 <= len(data.encode()) <= 64:
        raise _bad("BUTTON_DATA_INVALID")


def _rows(rows: Any) -> list[list[dict[str, Any]]]:
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise _bad("keyboard must be an Array of Arrays of buttons")
    if not all(isinstance(button, dict) for row in rows for button in row):
        raise _bad("keyboard button must be an Object")
    if sum(map(len, rows)) > 100:
        raise _bad("reply markup is too long")
    return [row for row in rows if row]


def _only(given: dict[str, Any], known: set[str]) -> None:
    if unknown := given.keys() - known:
        raise Fault(400, f"Bad Request: unknown field {sorted(unknown)} in reply markup")


def check_commands(params: Mapping[str, Any]) -> list[dict[str, str]]:
    commands = parsed(params, "commands")
    if not isinstance(commands, list) or len(commands) > 100:
        raise _bad("expected an Array of at most 100 BotCommand")
    for command in commands:
        if set(command) != {"command", "description"}:
            raise Fault(400, "Bad Request: a command needs command and description, nothing else")
        if not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]):
            raise _bad("BOT_COMMAND_INVALID")
        if not 1 <= units(command["description"]) <= 256:
            raise _bad("BOT_COMMAND_DESCRIPTION_INVALID")
    return commands


async def params_of(request: Request) -> dict[str, Any]:
    """The call's parameters from the query, a form or JSON; a file as (name, bytes)."""
    params: dict[str, Any] = dict(request.query_params)
    if request.headers.get("content-type", "").startswith("application/json"):
        params.update(await request.json())
        return params
    async with request.form() as form:
        for name, value in form.items():
            if isinstance(value, UploadFile):
                params[name] = (value.filename or "", await value.read())
            else:
                params[name] = value
    return params
