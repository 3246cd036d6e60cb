"""Signed and sealed callbacks of WeChat and WeCom; what wechatpy 1.8.18 does wrong in them is put right here.

It compares signatures with `!=`, looks at no timestamp, lets every fault of a ciphertext (base64, block size, padding,
length, UTF-8) out as whatever error it happens to be, and seals an empty reply, which the platform shows as a fault.
"""

import hmac
import re
from collections.abc import Mapping
from datetime import datetime

from wechatpy.crypto import PrpCrypto
from wechatpy.utils import WeChatSigner

from bot.channels.tencent import xml

SKEW = 300  # seconds that a callback's time may be off
AES_KEY = re.compile(r"[A-Za-z0-9]{43}")

_SEALED = """<xml>
<Encrypt><![CDATA[{sealed}]]></Encrypt>
<MsgSignature><![CDATA[{signature}]]></MsgSignature>
<TimeStamp>{timestamp}</TimeStamp>
<Nonce><![CDATA[{nonce}]]></Nonce>
</xml>"""


class Forged(Exception):
    """A callback that is not the platform's: refuse it, and change nothing. The text names no content, and what an
    operator is to look at where all of them are refused.
    """


class Envelope:
    """One application's callbacks. `receive_id`: the app id (Official Account) or the corp id; `aes_key`: 43
    characters from the console, empty where messages come in plain.
    """

    def __init__(self, token: str, aes_key: str, receive_id: str) -> None:
        self._token = token
        self._receive_id = receive_id
        self._crypto: PrpCrypto | None = None
        if aes_key:
            if not AES_KEY.fullmatch(aes_key):
                raise ValueError("an AES key of WeChat or WeCom has 43 letters and digits")
            self._crypto = PrpCrypto(xml.base64_of(aes_key + "="))

    @property
    def sealed(self) -> bool:
        """Whether messages come and go encrypted."""
        return self._crypto is not None

    def open_plain(self, query: Mapping[str, str], now: datetime) -> None:
        """Checks a request whose signature covers token, time and nonce only. Raises Forged."""
        self._check(query.get("signature", ""), query, now)

    def open(self, sealed: str, query: Mapping[str, str], now: datetime) -> str:
        """What an encrypted text of a request says, once its signature is found right. Raises Forged."""
        if self._crypto is None:
            raise Forged("encrypted, but there is no key: put the console's EncodingAESKey into the settings")
        self._check(query.get("msg_signature", ""), query, now, sealed)
        try:
            said: str = self._crypto.decrypt(sealed, self._receive_id)
        except Exception as error:  # of base64, AES, struct, UTF-8, or wechatpy's own for a strange receiver
            raise Forged(f"does not open ({type(error).__name__}): is the EncodingAESKey the console's?") from None
        return said

    def open_body(self, body: bytes, query: Mapping[str, str], now: datetime) -> str:
        """What the encrypted message of a request says; nothing in plain is taken. Raises Forged."""
        try:
            sealed = xml.word(xml.fields(body), "Encrypt")
        except xml.Unreadable:
            sealed = ""
        if not sealed:
            raise Forged("not encrypted: has the console 安全模式?")
        return self.open(sealed, query, now)

    def seal(self, reply: str, nonce: str, now: datetime) -> str:
        """A reply as it leaves: encrypted and signed where messages are; an empty one stays empty."""
        if not reply or self._crypto is None:
            return reply
        timestamp = str(int(now.timestamp()))
        sealed = self._crypto.encrypt(reply, self._receive_id).decode()
        return _SEALED.format(sealed=sealed, signature=self._sign(timestamp, nonce, sealed), timestamp=timestamp,
                              nonce=xml.clean(nonce))

    def _check(self, given: str, query: Mapping[str, str], now: datetime, *more: str) -> None:
        timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        expected = self._sign(timestamp, nonce, *more)
        if not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
            raise Forged("signature: is the Token that of the console?")
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12) or abs(
                now.timestamp() - int(timestamp)) > SKEW:
            raise Forged("time: is the clock of this machine right?")

    def _sign(self, *parts: str) -> str:
        signer = WeChatSigner()
        signer.add_data(self._token, *(part.encode("utf-8", "replace") for part in parts))
        signature: str = signer.signature
        return signature
