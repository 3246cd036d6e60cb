"""How often a name may be written on the page behind an alert: each name that may go is sent six digits.

Counted in memory, for each link, and for each address on a link, so that a stranger who was shown a link does not use
up the digits of those who may go without end. A restart forgets it; whoever is refused can still claim in his chat.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

DAY = timedelta(days=1)
OF_ADDRESS = 8  # one address on one link in a day; a village may share one, and few of it go to one alert
OF_LINK = 60  # all of them together, which bounds how many addresses are kept
LINKS = 1000  # the ones used last


@dataclass(slots=True)
class _Counted:
    since: datetime
    all: int
    by_address: dict[str, int]


class Naming:
    """The counts of one process."""

    def __init__(self) -> None:
        self._links: dict[str, _Counted] = {}  # the one used last at the end

    def may(self, link: str, address: str, now: datetime) -> bool:
        """Counts one more; False, and nothing counted, where there were as many as there may be.

        The caller has looked that the link leads to an alert: nobody fills this up with links that he made up.
        """
        counted = self._links.pop(link, None)
        if counted is None or not timedelta() <= now - counted.since < DAY:
            counted = _Counted(now, 0, {})
        self._links[link] = counted
        if len(self._links) > LINKS:
            del self._links[next(iter(self._links))]
        who = _whose(address)
        if counted.all >= OF_LINK or counted.by_address.get(who, 0) >= OF_ADDRESS:
            return False
        counted.all += 1
        if who:
            counted.by_address[who] = counted.by_address.get(who, 0) + 1
        return True


def _whose(address: str) -> str:
    """What counts as one address: of IPv6 the network. Empty for one that is nobody's on the internet: it is that of
    a proxy which does not say for whom it asks (docs/proxy.md).
    """
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    if not found.is_global:
        return ""
    return str(int(found) >> 64) if isinstance(found, IPv6Address) else str(found)
