"""Wiring: settings to parts, parts to each other. No decisions here."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from bot import clock as clocks
from bot import kinds, watch, web
from bot.channels.base import Answer, Beside, Channel, Now
from bot.delivery import Delivery
from bot.devices import routes as devices
from bot.devices.intake import Intake
from bot.dispatch import Dispatch
from bot.fetching import Fetching
from bot.jobs import Runner
from bot.pages import alerts as alert_pages
from bot.pages import routes as pages
from bot.settings import Settings, SettingsError
from conversations import book as books
from conversations.controls import LABELS
from conversations.documents import making
from conversations.message import Document, Inbound
from conversations.turn import House
from conversations.words_book import Words
from scheduler import policy, sms
from scheduler.policy import Policies, Policy
from scheduler.report import Report
from scheduler.runner import Ticker
from storage import forms
from storage.crypto import Keys
from storage.database import Store, Tx
from storage.key_file import load_keys
from storage.opening import open_store

if TYPE_CHECKING:
    from bot.channels.telegram import Telegram

log = structlog.get_logger()

PLAYGROUND_LINK, TELEGRAM_LINK = "/playground?start=", "https://t.me/{}?start="
STOP_SECONDS = 1.5  # for work under way; with what uvicorn waits for open requests, a stop takes under 5 s


@dataclass(frozen=True, slots=True)
class Foundation:
    """What the CLI and the server both stand on."""

    settings: Settings
    keys: Keys
    policies: Policies
    store: Store

    @property
    def policy(self) -> Policy:
        """The city's rules: for the time zone, and where no elder is meant."""
        return self.policies.city


def foundation(settings: Settings) -> Foundation:
    """Opens keys, policy and store, in that order; each raises its own error, naming what to mend."""
    keys = load_keys(settings.key_file, create=True)
    if settings.wechat_templates:
        from bot.channels import wechat_wiring

        wechat_wiring.templates(settings)
    return Foundation(settings, keys, policy.load(settings.policy_file), open_store(settings.database, keys))


class App:
    """One running process. `web` is its ASGI application; its lifespan starts and stops everything else."""

    def __init__(self, base: Foundation) -> None:
        self._base = base
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[Any]] = []
        self._ready = False
        self._closing: list[Callable[[], Coroutine[Any, Any, None]]] = []  # connections of channels
        self._clock: clocks.PlaygroundClock | None = None
        self._links: dict[str, str] = {}  # what an invitation's token is put behind; Telegram's is learned from it
        self._before_stop: list[Callable[[], None]] = []
        self.web = Starlette(routes=web.build_routes(base.store, lambda: self._ready, lambda: self.now()),
                             lifespan=self._lifespan)

    def stopping(self) -> None:
        """Ends what a server would wait for for ever (open event streams); called before it stops."""
        for end in self._before_stop:
            end()

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        async with self._at_work(serving=True):
            yield

    async def work(self) -> None:
        """Sends, sweeps and does jobs beside those who serve, until `end`; takes nothing in."""
        async with self._at_work(serving=False):
            await self._stop.wait()

    def end(self) -> None:
        """Ends `work`."""
        self._stop.set()

    @asynccontextmanager
    async def _at_work(self, *, serving: bool) -> AsyncIterator[None]:
        working = await self._wire(serving=serving)
        await self.delivery.take_over()
        self._tasks += [asyncio.create_task(work()) for work in working]
        keep_out_of_collections()
        log.info("serving" if serving else "working", channels=sorted(self.channels), engine=self._base.store.engine)
        self._ticker.start()
        self._ready = True
        try:
            yield
        finally:
            self._ready = False
            self._ticker.stop()
            self._stop.set()
            with suppress(TimeoutError):  # what is stored and did not leave in time is sent after the next start
                async with asyncio.timeout(STOP_SECONDS):
                    await asyncio.gather(*self._tasks, return_exceptions=True)
                    await self.delivery.settle()
            for close in self._closing:
                await close()

    async def move_clock(self, to: datetime, report: Report) -> None:
        """Moves the playground's clock without serving, as its page does. Raises ClockGoesForward."""
        await self._wire(serving=False)
        assert self._clock is not None  # the caller has a playground
        await self._clock.move(to, report)

    async def _wire(self, *, serving: bool) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        """Puts the parts together; gives what the process runs all the time, `serving` or only working."""
        base, settings = self._base, self._base.settings
        self.book = await load_book(base.store)
        self.channels: dict[str, Channel] = {}
        self.now: Now = clocks.wall
        offset = await kept_clock(base)
        routes: list[BaseRoute] = []
        working: list[Callable[[], Coroutine[Any, Any, None]]] = []
        receiving: list[Callable[[], Coroutine[Any, Any, None]]] = []
        if settings.playground_on:
            from bot.channels.playground import Playground
            from bot.playground.phones import all_phones
            from bot.playground.routes import build_routes

            clock = self._clock = clocks.PlaygroundClock(
                base.store, base.policies, offset or timedelta(0), self._quiet, self._catch_up)
            self.now = clock.now
            playground = Playground(base.store, self.now)
            self.channels[playground.name] = playground
            self._before_stop.append(playground.close)
            routes += build_routes(playground, lambda: all_phones(base.store), self._handle, clock, settings.hosts)
        if settings.telegram_token:
            from bot.channels.telegram import Telegram

            telegram = Telegram(settings.telegram_token, settings.telegram_api_url, place_label=LABELS["place"],
                                now=self.now, abroad=not settings.telegram_domestic_reason)
            self.channels[telegram.name] = telegram
            self._closing.append(telegram.close)
            if settings.telegram_mode == "webhook":
                routes += telegram.routes(self._handle, settings.telegram_secret)
                receiving.append(lambda: telegram.keep_webhook(
                    f"{settings.public}/telegram/webhook", settings.telegram_secret, self._stop))
            else:
                receiving.append(lambda: telegram.poll(self._handle, self._stop))
            working.append(lambda: introduce(telegram, self._links))
        if settings.wechat_app_id:
            from bot.channels import wechat_wiring

            wechat = wechat_wiring.build(settings, base.store, self.now, base.policy.zone)
            self.channels[wechat.name] = wechat
            self._closing.append(wechat.close)
            menus = wechat_wiring.Menus(wechat.calls, base.store)
            routes += wechat.routes(self._answer, menus.follow, self._lost)
            receiving.append(menus.keep)
            self._links[wechat.name] = f"{settings.public}{wechat_wiring.JOIN_PATH}/"
        if settings.wecom_corp_id:
            from bot.channels import wecom_wiring

            wecom = wecom_wiring.build(settings, base.store, self.now, base.policy.zone)
            self.channels[wecom.name] = wecom
            self._closing.append(wecom.close)
            joining, self._links[wecom.name] = wecom_wiring.joining(settings, wecom, base.store, self.now)
            routes += [*wecom.routes(self._handle), *joining.routes(self._handle)]
            receiving += [lambda: wecom_wiring.set_menu(wecom), lambda: wecom_wiring.keep_chats(wecom, self._stop)]
        if settings.sms_url:
            from bot.channels.sms import Sms

            texts = Sms(settings.sms_url, settings.sms_token, self._number)
            self.channels[texts.name] = texts
            self._closing.append(texts.close)
        await base.store.run(lambda tx: sms.enable(tx, on=bool(settings.sms_url)))
        if settings.playground_on:
            self._links["playground"] = f"{settings.public}{PLAYGROUND_LINK}"
        self._ticker = Ticker(base.store, base.policies, self.now, self._follow)
        house = self._house = House(
            self.book, base.policies,
            no_files=frozenset(name for name, on in self.channels.items()
                               if not (on.capabilities.carries_files and on.capabilities.takes_files)),
            abroad=abroad(self.channels),
            public=settings.public, links=self._links,
            wecom=settings.wecom_api_url if settings.wecom_corp_id else "")
        self.delivery = Delivery(base.store, self.channels, house, self.now, self._document)
        self.dispatch = Dispatch(base.store, house, self.delivery, self.now)
        edits = frozenset(name for name, on in self.channels.items() if on.capabilities.can_edit)
        self.jobs = Runner(base.store, kinds.handlers(base.store, self.channels, house), edits, self.now)
        intake = Intake(base.store, base.policies, self.now)
        routes += devices.build_routes(intake, settings.public)
        if settings.mqtt_url:
            from bot.devices import mqtt

            at = mqtt.broker(settings.mqtt_url, settings.port)
            receiving.append(lambda: mqtt.listen(at, intake, self._stop))
        routes += pages.build_routes(base.store, self.now, settings.public, settings.hosts)
        routes += alert_pages.build_routes(base.store, house, self.now, settings.hosts)
        self.web.router.routes.extend(routes)
        working.append(lambda: self.delivery.run(self._stop))
        working.append(lambda: self.delivery.run_alerts(self._stop))
        fetching = Fetching(base.store, self.channels, self.now)
        working.append(lambda: fetching.run(self._stop))
        working.append(lambda: self.jobs.run(self._stop))
        working.append(lambda: watch.watch(base, clocks.wall, self._stop))
        return [*working, *receiving] if serving else working

    async def _handle(self, inbound: Any) -> None:
        await self.dispatch.handle(inbound)

    async def _answer(self, inbound: Inbound, beside: Beside) -> Answer | None:
        return await self.dispatch.answer(inbound, beside)

    async def _lost(self, channel: str, chat: str, handle: str) -> None:
        await self.delivery.not_through(channel, chat, handle)

    async def _number(self, chat: str) -> str:
        return await self._base.store.read(lambda tx: sms.number(tx, chat))

    async def _quiet(self) -> None:
        await self.delivery.settle()

    async def _follow(self) -> None:
        if self._clock is not None:
            await self._clock.follow()

    async def _catch_up(self, report: Report | None) -> None:
        await self._ticker.beat(report)
        await self.jobs.settle()
        await self.delivery.sweep()

    async def _document(self, wanted: dict[str, Any], words: Words) -> Document | None:
        """A document of any kind, as its asker may still see what it shows."""
        make = await self._base.store.read(lambda tx: making.prepare(tx, self._house, wanted, self.now()))
        return await asyncio.to_thread(make, words) if make else None


async def kept_clock(base: Foundation) -> timedelta | None:
    """How far the playground's clock was moved; None where it never was. Raises SettingsError on a real channel."""
    offset = await base.store.read(clocks.kept_offset)
    if offset is not None and not base.settings.playground_on:
        raise SettingsError("this database belongs to a playground whose clock was moved; "
                            "a real channel needs one of its own (TANFANG_DATABASE_URL)")
    return offset


def keep_out_of_collections() -> None:
    """What is loaded now stays: the garbage collector need not look at it again (8% of a turn's time)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)


def abroad(channels: Mapping[str, Channel]) -> frozenset[str]:
    """The channels that stand outside the country."""
    return frozenset(name for name, channel in channels.items() if channel.capabilities.abroad)


async def load_book(store: Store) -> books.FormBook:
    """Today's forms, kept by hash, and all that old records speak of."""
    book = books.from_folder()

    def keep(tx: Tx) -> list[str]:
        for form in book.current.values():
            forms.keep(tx, form.hash, form.name, form.definition)
        return forms.definitions(tx)

    known = {form.definition for form in book.current.values()}
    for definition in await store.run(keep):
        if definition not in known:
            book.learn(definition)
    return book


async def introduce(telegram: "Telegram", links: dict[str, str]) -> None:
    """Learns the bot's own name and fills the command menu; a failure is only logged."""
    from conversations.commands import NAMES

    shown = [(named.slash, named.about) for named in NAMES.values() if not named.hidden]
    try:
        links[telegram.name] = TELEGRAM_LINK.format(await telegram.me())
        await telegram.set_commands(shown)
    except Exception as error:
        log.warning("command menu was not set", error=type(error).__name__)
