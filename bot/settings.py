"""Settings, by environment or `.env`, prefix `TANFANG_`."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class SettingsError(Exception):
    """What is missing or wrong, by the names of the settings."""


class Settings(BaseSettings):
    """Everything an operator sets; `README` names each. Half a platform is refused."""

    model_config = SettingsConfigDict(env_prefix="TANFANG_", env_file=".env", extra="ignore", frozen=True)

    data_dir: Path = Path("data")
    database_url: str = Field(default="", repr=False)
    key_file: Path = Path("tanfang.keys.json")
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=1, le=65535)
    public_url: str = ""
    playground: Literal["on", "off", ""] = ""
    policy_file: Path | None = None
    telegram_token: str = Field(default="", repr=False)
    telegram_api_url: str = "https://api.telegram.org"
    telegram_mode: Literal["polling", "webhook"] = "polling"
    telegram_secret: str = Field(default="", repr=False)
    wechat_app_id: str = ""
    wechat_app_secret: str = Field(default="", repr=False)
    wechat_token: str = Field(default="", repr=False)
    wechat_aes_key: str = Field(default="", repr=False)  # 43 characters; without it messages come in plain
    wechat_api_url: str = "https://api.weixin.qq.com"
    wechat_templates: Path | None = None  # which notice goes out through which template
    wecom_corp_id: str = ""
    wecom_agent_id: int | None = None
    wecom_secret: str = Field(default="", repr=False)
    wecom_token: str = Field(default="", repr=False)
    wecom_aes_key: str = Field(default="", repr=False)  # 43 characters
    wecom_api_url: str = "https://qyapi.weixin.qq.com"
    # a gateway for text messages, to which alerts to people without an account are posted; a key may stand in it
    sms_url: str = Field(default="", repr=False)
    sms_token: str = Field(default="", repr=False)
    mqtt_url: str = Field(default="", repr=False)  # mqtt[s]://[user:password@]host[:port][/session]
    telegram_domestic_reason: str = ""  # set only where an operator declares the channel domestic

    @property
    def database(self) -> str:
        """The database's URL; SQLite in the data folder where nothing is said."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'tanfang.db').absolute()}"

    @property
    def playground_on(self) -> bool:
        """The playground is on where nothing is said and no real channel is configured."""
        return self.playground == "on" or (self.playground == "" and not self.real_channel)

    @property
    def real_channel(self) -> bool:
        """Whether any platform with real people is set up."""
        return bool(self.telegram_token or self.wechat_app_id or self.wecom_corp_id)

    @property
    def public(self) -> str:
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @model_validator(mode="after")
    def _whole(self) -> "Settings":
        missing = []
        if self.telegram_token and self.telegram_mode == "webhook":
            missing = [name for name, value in (("TANFANG_TELEGRAM_SECRET", self.telegram_secret),
                                                ("TANFANG_PUBLIC_URL", self.public_url)) if not value]
        if not self.telegram_token and (self.telegram_secret or self.telegram_mode == "webhook"):
            missing = ["TANFANG_TELEGRAM_TOKEN"]
        if missing:
            raise ValueError(f"Telegram is only half set up; missing: {', '.join(missing)}")
        self._wechat_whole()
        self._wecom_whole()
        self._sms_whole()
        if self.playground == "on" and self.real_channel:
            raise ValueError("TANFANG_PLAYGROUND=on beside a real channel: the playground has made-up people "
                             "and a clock of its own; turn one of them off")
        if self.mqtt_url and not _is_broker(self.mqtt_url):  # the text says nothing of it: a password may stand there
            raise ValueError("TANFANG_MQTT_URL must be mqtt[s]://[user:password@]host[:port][/session]")
        if self.key_file.absolute().is_relative_to(self.data_dir.absolute()):
            raise ValueError("TANFANG_KEY_FILE lies in TANFANG_DATA_DIR: a backup of the data would hold the keys")
        return self

    def _wechat_whole(self) -> None:
        needed = {"TANFANG_WECHAT_APP_ID": self.wechat_app_id, "TANFANG_WECHAT_APP_SECRET": self.wechat_app_secret,
                  "TANFANG_WECHAT_TOKEN": self.wechat_token}
        given = [*needed.values(), self.wechat_aes_key, self.wechat_templates]
        missing = [name for name, value in {**needed, "TANFANG_PUBLIC_URL": self.public_url}.items() if not value]
        if any(given) and missing:
            raise ValueError(f"WeChat is only half set up; missing: {', '.join(missing)}")
        if self.wechat_aes_key and not re.fullmatch("[A-Za-z0-9]{43}", self.wechat_aes_key):
            raise ValueError("TANFANG_WECHAT_AES_KEY must be the 43 letters and digits that the console shows")

    def _wecom_whole(self) -> None:
        needed = {"TANFANG_WECOM_CORP_ID": self.wecom_corp_id, "TANFANG_WECOM_AGENT_ID": self.wecom_agent_id,
                  "TANFANG_WECOM_SECRET": self.wecom_secret, "TANFANG_WECOM_TOKEN": self.wecom_token,
                  "TANFANG_WECOM_AES_KEY": self.wecom_aes_key}
        given = [value for value in needed.values() if value not in ("", None)]
        missing = [name for name, value in {**needed, "TANFANG_PUBLIC_URL": self.public_url}.items()
                   if value in ("", None)]
        if given and missing:
            raise ValueError(f"WeCom is only half set up; missing: {', '.join(missing)}")
        if self.wecom_aes_key and not re.fullmatch("[A-Za-z0-9]{43}", self.wecom_aes_key):
            raise ValueError("TANFANG_WECOM_AES_KEY must be the 43 letters and digits that the console shows")

    def _sms_whole(self) -> None:
        needed = {"TANFANG_SMS_URL": self.sms_url, "TANFANG_SMS_TOKEN": self.sms_token}
        missing = [name for name, value in needed.items() if not value]
        if len(missing) == 1:
            raise ValueError(f"The gateway for text messages is only half set up; missing: {missing[0]}")
        if self.sms_url and not _is_safe(self.sms_url):
            raise ValueError("TANFANG_SMS_URL must be https: phone numbers go there (http on this machine alone)")

    @property
    def hosts(self) -> frozenset[str]:
        """The names under which the page may be asked for."""
        names = {"127.0.0.1", "localhost", "[::1]", "::1", self.host}
        if self.public_url:
            names.add(urlsplit(self.public_url).hostname or "")
        try:
            if ip_address(self.host).is_unspecified:
                names.discard(self.host)
        except ValueError:
            pass
        return frozenset(names)


def _is_broker(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("mqtt", "mqtts") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        return False


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (parts.scheme == "https" or (
            parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")))
    except ValueError:
        return False


def load() -> Settings:
    """The settings of this process. Raises SettingsError naming each that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("; ".join(
            f"{'_'.join(('TANFANG', *map(str, each['loc']))).upper()}: {each['msg']}" if each["loc"]
            else each["msg"].removeprefix("Value error, ") for each in error.errors())) from None
