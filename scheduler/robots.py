"""How a village's groups on WeCom are named in the ledger: `appchat:ID` for a chat of the application, `robot:HASH`."""

import hashlib

APPCHAT, ROBOT = "appchat", "robot"
PLATFORM = "wecom"


def appchat(row_id: str) -> str:
    """The name of a chat: its id has letters and digits only, 32 at most."""
    return f"{APPCHAT}:{row_id.replace('-', '')[:32]}"


def robot(key: str) -> str:
    """The name of a robot; its key is a secret, and stands sealed in `groups.address` alone."""
    return f"{ROBOT}:{hashlib.sha256(key.encode()).hexdigest()[:32]}"
