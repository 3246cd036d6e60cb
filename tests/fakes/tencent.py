"""The platform's side of a callback, made with `cryptography` alone: what the bot's own code does cannot hide a fault."""

import base64
import hashlib
import os
import struct
from xml.etree import ElementTree

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

TOKEN = "callbacktoken"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
Q = dict[str, str]


def signature(*parts: str) -> str:
    """SHA-1 of the parts in order of their bytes."""
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def _cipher(key: str) -> Cipher[modes.CBC]:
    raw = base64.b64decode(key + "=")
    return Cipher(algorithms.AES(raw), modes.CBC(raw[:16]))


def seal(text: str, receive_id: str, key: str = AES_KEY) -> str:
    """A text as the platform encrypts it."""
    said = text.encode()
    plain = os.urandom(16) + struct.pack(">I", len(said)) + said + receive_id.encode()
    padding = 32 - len(plain) % 32
    return sealed_bytes(plain + bytes([padding]) * padding, key)


def sealed_bytes(plain: bytes, key: str = AES_KEY) -> str:
    """Bytes of whole blocks, encrypted whatever they are."""
    encryptor = _cipher(key).encryptor()
    return base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()


def open_sealed(sealed: str, receive_id: str, key: str = AES_KEY) -> str:
    """What the platform reads in an encrypted reply; anything that is not just so fails."""
    decryptor = _cipher(key).decryptor()
    plain = decryptor.update(base64.b64decode(sealed, validate=True)) + decryptor.finalize()
    padding = plain[-1]
    assert 1 <= padding <= 32, "padding"
    assert plain[-padding:] == bytes([padding]) * padding, "padding"
    plain = plain[16:-padding]
    length = struct.unpack(">I", plain[:4])[0]
    assert plain[4 + length:].decode() == receive_id, "receive id"
    return plain[4:4 + length].decode()


def signed(at: float, nonce: str = "n1", *, sealed: str = "", token: str = TOKEN) -> Q:
    """The query of a request made at this time; with `sealed`, also the signature over the encrypted text."""
    timestamp = str(int(at))
    query = {"signature": signature(token, timestamp, nonce), "timestamp": timestamp, "nonce": nonce}
    if sealed:
        query |= {"msg_signature": signature(token, timestamp, nonce, sealed), "encrypt_type": "aes"}
    return query


def parsed(xml: str) -> Q:
    """The children of `<xml>` as texts. Raises ParseError on what is no XML."""
    return {child.tag: child.text or "" for child in ElementTree.fromstring(xml)}


def envelope(sealed: str, receive_id: str) -> str:
    """The body in which an encrypted message comes."""
    return f"<xml><ToUserName><![CDATA[{receive_id}]]></ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"


def opened_reply(body: str, receive_id: str, token: str = TOKEN) -> Q:
    """An encrypted reply: its signature checked, its fields given."""
    outer = parsed(body)
    assert outer["MsgSignature"] == signature(token, outer["TimeStamp"], outer["Nonce"], outer["Encrypt"])
    return parsed(open_sealed(outer["Encrypt"], receive_id))
