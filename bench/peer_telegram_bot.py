"""python-telegram-bot: a ConversationHandler with PicklePersistence, flushed after each update.

Updates go one at a time, as an Application hands them on and as a ConversationHandler asks for. The whole
pickle is written after each update, once: with `on_flush=True` and a flush, for with `on_flush=False` it is
written once for the answers and once more for the conversation's state. The library does not fsync, and it
answers before it writes: a power cut may lose what was acknowledged.
"""

import asyncio
import tempfile
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    CommandHandler,
    ContextTypes,
    ConversationHandler,
    MessageHandler,
    PersistenceInput,
    PicklePersistence,
    filters,
)
from telegram.warnings import PTBUserWarning

from bench import asked
from bench.asked import FIRST, NEXT, QUESTIONS, REVIEW, Asked
from bench.measure import Load, Platform, Row, measure, serve, visits_logged
from bench.telegram_stub import TOKEN, StubRequest

Context = ContextTypes.DEFAULT_TYPE


def _keyboard(buttons: tuple[tuple[str, str], ...]) -> InlineKeyboardMarkup | None:
    return InlineKeyboardMarkup([[InlineKeyboardButton(label, callback_data=data)] for label, data in buttons]
                                ) if buttons else None


KEYBOARDS = {name: _keyboard(question.buttons) for name, question in QUESTIONS.items()}
SUBMIT = _keyboard(asked.SUBMIT)
NOTE = "ConversationHandler; the whole pickle written after each update, after the answer, without fsync"


class VisitBot:
    """The conversation. Answers lie in `user_data`; a submitted visit is one line of `records`."""

    def __init__(self, records: Path) -> None:
        self._records = records

    def handler(self) -> ConversationHandler[Context]:
        states: dict[object, list[Any]] = {
            name: [CallbackQueryHandler(self.tapped, pattern=f"^{name}:")] if question.buttons
            else [MessageHandler(filters.TEXT & ~filters.COMMAND, partial(self.wrote, name))]
            for name, question in QUESTIONS.items()}
        states[REVIEW] = [CallbackQueryHandler(self.submit, pattern=f"^{REVIEW}:submit$")]
        return ConversationHandler([CommandHandler("visit", self.start)], states,
                                   [CommandHandler("cancel", self.cancel)], name="visit", persistent=True)

    async def start(self, update: Update, context: Context) -> object:
        assert update.message and context.user_data is not None
        context.user_data["answers"] = {}
        await update.message.reply_text(FIRST.text, reply_markup=KEYBOARDS[FIRST.name])
        return FIRST.name

    async def tapped(self, update: Update, context: Context) -> object:
        query = update.callback_query
        assert query and query.data
        await query.answer()
        name, _, value = query.data.partition(":")
        following, text, markup = self._take(context, name, value)
        await query.edit_message_text(text, reply_markup=markup)
        return following

    async def wrote(self, name: str, update: Update, context: Context) -> object:
        assert update.message and update.message.text
        following, text, markup = self._take(context, name, update.message.text)
        await update.message.reply_text(text, reply_markup=markup)
        return following

    async def submit(self, update: Update, context: Context) -> object:
        query = update.callback_query
        assert query and context.user_data is not None
        await query.answer()
        answers = context.user_data.pop("answers")
        numbers = context.user_data.setdefault("numbers", {})
        elder = asked.elder_of(query.from_user.id, answers)
        numbers[elder] = numbers.get(elder, 0) + 1
        with self._records.open("ab") as file:
            file.write(orjson.dumps(asked.record(query.from_user.id, numbers[elder], answers)) + b"\n")
        await query.edit_message_text(asked.kept(numbers[elder]))
        return ConversationHandler.END

    async def cancel(self, update: Update, context: Context) -> object:
        assert update.message
        await update.message.reply_text(asked.CANCELLED)
        return ConversationHandler.END

    def _take(self, context: Context, name: str, value: str) -> tuple[str, str, InlineKeyboardMarkup | None]:
        assert context.user_data is not None
        answers = context.user_data["answers"]
        answers[name] = value
        following: Asked | None = NEXT[name]
        if following is None:
            return REVIEW, asked.review(answers), SUBMIT
        return following.name, following.text, KEYBOARDS[following.name]


async def run(load: Load) -> list[Row]:
    warnings.simplefilter("ignore", PTBUserWarning)  # about per_message: a chat has one conversation
    platform = Platform()
    with tempfile.TemporaryDirectory() as folder:
        records = Path(folder) / "visits.jsonl"
        persistence: PicklePersistence[Any, Any, Any] = PicklePersistence(
            Path(folder) / "bot.pickle", on_flush=True,
            store_data=PersistenceInput(bot_data=False, chat_data=False, callback_data=False))
        application = (Application.builder().token(TOKEN).updater(None).job_queue(None)
                       .persistence(persistence).request(StubRequest(platform))
                       .get_updates_request(StubRequest(platform)).build())
        application.add_handler(VisitBot(records).handler())
        await application.initialize()
        one_at_a_time = asyncio.Lock()

        async def feed(raw: bytes) -> None:
            update = Update.de_json(orjson.loads(raw), application.bot)
            async with one_at_a_time:
                await application.process_update(update)
                await application.update_persistence()
                await persistence.flush()

        row = await measure("python-telegram-bot", feed, asked.token, platform, load)
        kept = records.read_bytes().count(b"\n")
    if kept != visits_logged(load):
        raise RuntimeError(f"{kept} visits kept, {visits_logged(load)} submitted")
    return [replace(row, note=NOTE)]


if __name__ == "__main__":
    serve(run)
