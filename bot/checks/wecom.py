"""WeCom: credentials, the trusted addresses, whence WeCom posts, who sees the application, its menu."""

from bot.channels import wecom_wiring
from bot.channels.wecom_codes import EXPLAINED
from bot.checks import public_url
from bot.checks.tencent import Asking, Told, answers, some
from bot.settings import Settings

PORTS = (443, 80)
CONSOLE = "应用管理, see docs/wecom.md"  # where the console has it
CODES = {
    40013: "WeCom does not know TANFANG_WECOM_CORP_ID: it is 企业ID, 我的企业 > 企业信息",
    40001: f"TANFANG_WECOM_SECRET is wrong: it is the Secret of this application, {CONSOLE}",
    45009: "too many calls: wait a minute, and see whether another program uses the same Secret",
    **dict.fromkeys((48002, 48006), "the application may not make this call: set 可见范围 and its permissions, "
                    f"{CONSOLE}"),
    60020: f"this machine is not among the trusted addresses: add it to 企业可信IP, {CONSOLE}",
    40091: f"TANFANG_WECOM_SECRET is another corporation's: it is the Secret of this application, {CONSOLE}",
}
NO_SUCH_APPLICATION = (40056, 301002)
NO_MENU = 46003
ROOT = 1  # the department that is the whole enterprise


async def findings(settings: Settings) -> list[str]:
    """One finding a line; those that want something done begin with WARNING."""
    async def ask(asking: Asking) -> list[str]:
        await asking.begin("GET", "/cgi-bin/gettoken", None, {
            "corpid": settings.wecom_corp_id, "corpsecret": settings.wecom_secret})
        return [*await _application(asking, settings), *await _callbacks(asking)]

    return [*await answers("WeCom", settings.wecom_api_url, CODES, EXPLAINED, ask),
            *public_url.findings(settings, "WeCom", PORTS, posts=True)]


async def _application(asking: Asking, settings: Settings) -> list[str]:
    """The application of these settings, who sees it, and its menu. Raises Told."""
    agent = str(settings.wecom_agent_id)
    try:
        about = await asking.get("/cgi-bin/agent/get", agentid=agent)
    except Told as told:
        if told.code in NO_SUCH_APPLICATION:
            return ["WARNING   TANFANG_WECOM_AGENT_ID and TANFANG_WECOM_SECRET are not of one application: both stand "
                    f"on its page, {CONSOLE}"]
        raise
    seen = len(about.get("allow_userinfos", {}).get("user", []))
    departments = about.get("allow_partys", {}).get("partyid", [])
    parts = len(departments) + len(about.get("allow_tags", {}).get("tagid", []))
    found = [f"wecom     {about.get('name', agent)}, messages come to {settings.public}/wecom, seen by {seen} members "
             f"and {parts} departments or tags"]
    if about.get("close"):
        found.append(f"WARNING   the application is switched off: switch it on (启用), {CONSOLE}")
    if not seen and not parts:
        found.append(f"WARNING   nobody sees the application: set 可见范围, {CONSOLE}")
    if ROOT not in departments:
        found.append("wecom     it may have no group chats of its own (robots can be used): for these, set 可见范围 to "
                     f"the whole enterprise, {CONSOLE}")
    return found + await _menu(asking, agent)


async def _menu(asking: Asking, agent: str) -> list[str]:
    try:
        shown = [button["name"] for button in (await asking.get("/cgi-bin/menu/get", agentid=agent))["button"]]
    except Told as told:
        if told.code != NO_MENU:
            raise
        return ["WARNING   there is no menu below the chat yet: serve sets it at its start"]
    if shown != [button["name"] for button in wecom_wiring.menu()]:
        return [f"WARNING   the menu below the chat is another one ({', '.join(shown)}): serve sets it at its start"]
    return []


async def _callbacks(asking: Asking) -> list[str]:
    """Whence WeCom posts. What it meets there it tells nobody: `/readyz` and the log do."""
    posts = (await asking.get("/cgi-bin/getcallbackip")).get("ip_list", [])
    return [f"wecom     posts from {some(posts)}: a firewall must let these in"]
