"""The public address: where platforms post to, and where links lead that are sent to people."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from bot.settings import Settings

NAME = "TANFANG_PUBLIC_URL"


def findings(settings: Settings, platform: str, ports: tuple[int, ...], *, posts: bool) -> list[str]:
    """What is wrong with it for a platform that posts here (`posts`), at these ports only."""
    if not settings.public_url:
        return [f"WARNING   {NAME} is not set: links that {platform} carries to people (files, alerts) open on this "
                "machine only; name the proxy's address (docs/proxy.md)"]
    parts = urlsplit(settings.public_url)
    found = []
    if parts.scheme != "https":
        found.append(f"WARNING   {NAME} is no https:// address: put a proxy with a certificate in front "
                     "(docs/proxy.md), and name its address")
    if posts and _is_address(parts.hostname or ""):
        found.append(f"WARNING   {NAME} is an IP address: {platform} wants a domain (docs/proxy.md)")
    if posts and (port := parts.port or 443) not in ports:
        found.append(f"WARNING   {NAME} names port {port}: {platform} posts to {' or '.join(map(str, ports))} "
                     "only: let the proxy listen there (docs/proxy.md)")
    return found


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
