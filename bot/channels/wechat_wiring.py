"""From settings to the WeChat channel."""

from zoneinfo import ZoneInfo

from bot.channels.base import Now
from bot.channels.wechat import JOIN_PATH, Account, WeChat
from bot.channels.wechat_menu import Menus
from bot.channels.wechat_templates import Templates, TemplatesError
from bot.settings import Settings, SettingsError
from conversations.words_book import Words
from storage.database import Store

__all__ = ["JOIN_PATH", "Menus", "build", "templates"]


def build(settings: Settings, store: Store, now: Now, zone: ZoneInfo) -> WeChat:
    """The channel. Raises SettingsError where the file of templates cannot be used."""
    account = Account(settings.wechat_app_id, settings.wechat_app_secret, settings.wechat_token,
                      settings.wechat_aes_key, settings.wechat_api_url)
    return WeChat(account, store, templates(settings), now, zone)


def templates(settings: Settings) -> Templates:
    """The operator's templates. Raises SettingsError where their file cannot be used."""
    try:
        return Templates(settings.wechat_templates, Words().phrase)
    except TemplatesError as error:
        raise SettingsError(str(error)) from None
