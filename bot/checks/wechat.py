"""WeChat: credentials, this machine's place on the IP list, whence WeChat posts, templates, menu."""

import re

from bot.channels import wechat_menu, wechat_wiring
from bot.channels.wechat_codes import EXPLAINED
from bot.checks import public_url
from bot.checks.tencent import Asking, Told, answers, some
from bot.settings import Settings

PORTS = (443, 80)
CONSOLE = "基本配置, see docs/wechat.md"  # where the console has it
TEMPLATES = "TANFANG_WECHAT_TEMPLATES"
CODES = {
    40013: f"WeChat does not know TANFANG_WECHAT_APP_ID: it is 开发者ID(AppID), {CONSOLE}",
    40125: f"TANFANG_WECHAT_APP_SECRET is wrong: reset 开发者密码(AppSecret), {CONSOLE}, and put the new one here",
    40164: f"this machine is not on the IP list: add its address to IP白名单, {CONSOLE}",
    **dict.fromkeys((89501, 89503, 89506, 89507), "WeChat has asked the account's administrator, in his own WeChat, "
                    "about this machine's address: he must confirm it there"),
    45009: "the day's quota of a call is used up: wait until tomorrow, or clear it in the console (接口权限)",
    **dict.fromkeys((48004, 50002), "WeChat has restricted the account: read 通知中心 in the console"),
    40243: f"the AppSecret is frozen: unfreeze 开发者密码(AppSecret), {CONSOLE}",
}
NOT_ALLOWED = 48001
NO_MENU = 46003
_FIELD = re.compile(r"\{\{(\w+)\.DATA\}\}")


async def findings(settings: Settings) -> list[str]:
    """One finding a line; those that want something done begin with WARNING."""
    async def ask(asking: Asking) -> list[str]:
        await asking.begin("POST", "/cgi-bin/stable_token", {
            "grant_type": "client_credential", "appid": settings.wechat_app_id, "secret": settings.wechat_app_secret,
            "force_refresh": False})
        return [f"wechat    {settings.wechat_app_id}, messages come to {settings.public}/wechat",
                *await _callbacks(asking), *await _menu(asking), *await _templates(asking, settings)]

    found = await answers("WeChat", settings.wechat_api_url, CODES, EXPLAINED, ask)
    found += public_url.findings(settings, "WeChat", PORTS, posts=True)
    if not settings.wechat_aes_key:
        found.append("WARNING   WeChat sends what people write in plain: choose 安全模式, set TANFANG_WECHAT_AES_KEY")
    return found


async def _callbacks(asking: Asking) -> list[str]:
    """Whence WeChat posts, and where it finds the name of the address that its console was given."""
    posts = (await asking.get("/cgi-bin/getcallbackip")).get("ip_list", [])
    found = [f"wechat    posts from {some(posts)}: a firewall must let these in"]
    try:
        seen = await asking.post("/cgi-bin/callback/check", {"action": "dns", "check_operator": "DEFAULT"})
    except Told:
        return [*found, f"WARNING   WeChat has no address to post to: set 服务器配置, {CONSOLE}, and press 启用"]
    if not (names := [each["ip"] for each in seen.get("dns", [])]):
        return [*found, "WARNING   WeChat cannot find the name in 服务器配置: is the domain right, and 备案 done?"]
    return [*found, f"wechat    finds this server at {some(names)}"]


async def _menu(asking: Asking) -> list[str]:
    later = "serve sets it at its start"
    try:
        shown = await asking.get("/cgi-bin/menu/get")
    except Told as told:
        if told.code == NO_MENU:
            return [f"WARNING   there is no menu below the chat yet: {later}"]
        return [f"WARNING   this account may have no menu (error {told.code}): nothing to do, words do the same"]
    names = [button["name"] for button in shown["menu"]["button"]]
    if names != [button["name"] for button in wechat_menu.groups()[0].buttons]:
        return [f"WARNING   the menu below the chat is another one ({', '.join(names)}): {later}"]
    return []


async def _templates(asking: Asking, settings: Settings) -> list[str]:
    """Whether each template of the operator's file is the account's, with the fields that the file fills."""
    wanted = wechat_wiring.templates(settings).fields()
    if not wanted:
        return [f"WARNING   {TEMPLATES} is not set: who has not written for 48 hours is not reached at all; "
                "docs/wechat.md (3) says how"]
    found = []
    for api, path, rows, key in (
            ("template", "/cgi-bin/template/get_all_private_template", "template_list", "template_id"),
            ("subscription", "/wxaapi/newtmpl/gettemplate", "data", "priTmplId")):
        of_this = {kind: each for kind, each in wanted.items() if each.api == api}
        if not of_this:
            continue
        try:
            listed = {each[key]: _FIELD.findall(each["content"]) for each in (await asking.get(path)).get(rows, [])}
        except Told as told:
            why = ("only a verified 服务号 may (docs/wechat.md, 1)" if told.code == NOT_ALLOWED
                   else f"error {told.code}, look it up, {EXPLAINED}")
            found.append(f"WARNING   this account may send no {api} messages: {why}")
            continue
        for kind, each in of_this.items():
            if each.template not in listed:
                found.append(f"WARNING   [{kind}] of {TEMPLATES}: the account has no template {each.template} "
                             "(广告与服务 > 模板消息 > 我的模板): add it there, or put the id of one of these")
            elif set(listed[each.template]) != set(each.fields):
                found.append(f"WARNING   [{kind}] of {TEMPLATES} fills {', '.join(sorted(each.fields))}; the template "
                             f"has {', '.join(listed[each.template])}: let the file fill these")
    return found or [f"wechat    {len(wanted)} templates, all with their fields"]
