"""Which jobs there are, and who does them: one line each."""

from collections.abc import Mapping

from bot.channels.base import Channel
from bot.exchange import Exchange
from bot.figures import Figures
from bot.jobs import Handler
from bot.sheets import Ledgers
from conversations.turn import House
from storage.database import Store


def handlers(store: Store, channels: Mapping[str, Channel], house: House) -> dict[str, Handler]:
    """The handler of every kind of job."""
    exchange = Exchange(store, Ledgers(store, house.policies), channels, house)
    return {
        "import": exchange.preview,
        "import_apply": exchange.apply,
        "areas_apply": exchange.add_areas,
        "match_apply": exchange.take,
        "export": exchange.export,
        "figures": Figures(store, house).report,
    }
