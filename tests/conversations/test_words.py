"""Every sentence: there, used, and fit to be said with the fields that it gets."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jinja2 import UndefinedError

import conversations
from conversations.book import from_folder
from conversations.commands import NAMES
from conversations.commands.ledger import LISTS
from conversations.words_book import FOLDER, WORDS, Words, pseudonym, sources
from storage.contacts import METHODS

ROOT = Path(conversations.__file__).parent.parent
CODE = "\n".join(path.read_text(encoding="utf-8") for room in ("conversations", "bot", "scheduler")
                 for path in sorted((ROOT / room).rglob("*.py")))
FORMS = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "conversations" / "forms").glob("*.toml")))
TEMPLATES = "\n".join(sources().values())
# what a visit's conversation says; what documents, imports and others say is tested beside them
FILES = [FOLDER / f"{name}.toml"
         for name in ("form", "menu", "refuse", "notices", "pending", "registration", "survey", "files", "binding",
                      "life", "hours", "numbers", "matching", "area_tree", "people", "firstcontact", "reminders",
                      "plan", "campaigns", "family", "requests", "needs", "tellings", "figures", "alerts",
                      "checkins", "devices", "glass", "sos", "followups", "alert_record", "calling", "family_choice",
                      "drill", "sms", "added", "groups", "ladder", "wechat", "wecom", "reach", "registration_form",
                      "asking", "helping", "afar")]
SPACES = sorted(
    path.stem if table == "sentences" else table
    for path in FILES for table in tomllib.loads(path.read_text(encoding="utf-8")))


def _raw(file: str) -> dict[str, dict[str, str]]:
    return tomllib.loads((FOLDER / f"{file}.toml").read_text(encoding="utf-8"))


# keys that are put together where they are used, and what stands in the gap
MADE = {
    "refuse.{}_wanted": ("photo", "place"), "binding.invitation_{}": ("used", "expired", "revoked", "unknown"),
    "button.hours_{}": ("this_term", "last_term", "this_month", "last_month"), "channel.{}": ("telegram", "wechat", "wecom", "playground"),
    "found.{}": ("vendors", "elders", "villages", "any_village", "visitors", "visitor_kinds", "held", "family", "answerable"), "turned.{}": tuple(_raw("life")["turned"]),
    "button.by_{}": METHODS, "button.take_{}": ("visit", "call_back"),
    **{f"{space}.{{}}": tuple(_raw("family")[space]) for space in ("outcome", "reached_by", "asked_for", "told_area", "as_ever", "wants")},
    "wish.{}": tuple(_raw("life")["wish"]), "basis.{}": tuple(_raw("life")["basis"]),
    "life.{}": ("back", "restored"), "proposal.{}": ("registration", "first_contact", "life"),
    "registration.same_{}": ("id", "person"), "field.{}": tuple(_raw("registration")["field"]),
    "unwell.{}": tuple(_raw("checkins")["unwell"]),
    **{f"{space}.{{}}": tuple(_raw("alert_record")[space]) for space in ("alert_said", "risk", "told_whom")},
    "reach_state.{}": tuple(_raw("reach")["reach_state"]), "told_rank.{}": tuple(_raw("ladder")["told_rank"]), "ladder.{}": ("may_not", "unreached"),
    "topic.{}": tuple(_raw("helping")["topic"]),
    "followed.{}": tuple(_raw("followups")["followed"]),
    "button.follow_{}": tuple(key.removeprefix("follow_") for key in _raw("followups")["button"] if key != "follow"),
    "added_kind.{}": tuple(_raw("added")["added_kind"]), "added.file_{}": ("photo", "voice"), "button.see_{}": ("photo", "voice"),
    "calling.{}": ("reached", "not_reached"), "call_state.{}": tuple(_raw("calling")["call_state"]),
    "first_aid.{}": tuple(_raw("sos")["first_aid"]), "afar_aid.{}": tuple(_raw("afar")["afar_aid"]),
    "group_kind.{}": tuple(_raw("groups")["group_kind"]), "group_anew.{}": tuple(_raw("groups")["group_anew"]),
    "glass_reason.{}": tuple(_raw("glass")["glass_reason"]),
    "alert_kind.{}": (*_raw("alerts")["alert_kind"], *_raw("devices")["alert_kind"]),
    "device_said.{}": tuple(_raw("devices")["device_said"]), "device_state.{}": tuple(_raw("devices")["device_state"]), "alert_state.{}": tuple(_raw("alerts")["alert_state"]),
    "care.{}": tuple(_raw("people")["care"]), "menu.{}_already": ("voided", "moved"), "class.{}": ("priority", "general"),
    "change.{}": ("replaced", "current", "void", "moved"), "due.{}": ("not_yet", "open", "due_soon", "overdue"),
    "files.page_{}": ("upload", "download"), "files_name.{}": ("difference", "faulty", "ledger", "visits", "forms", "match", "match_left", "areas"),
    "area_sheet.{}": tuple(_raw("area_tree")["area_sheet"]),
    "match_left.{}": tuple(_raw("matching")["match_left"]),
    "match_sheet.{}": tuple(_raw("matching")["match_sheet"]),
    "files_button.export_{}": ("ledger", "visits", "forms"), "numbers_button.{}": tuple(what for what, _ in LISTS),
    "campaign_state.{}": tuple(_raw("campaigns")["campaign_state"]), "campaign_name.{}": tuple(_raw("campaigns")["campaign_name"]),
    "tips.{}": tuple(_raw("campaigns")["tips"]),
    "figures_button.before_{}": ("1", "3"), "figures_button.other_{}": ("1", "3"), "figures_sheet.{}": (
        *_raw("figures")["figures_sheet"],),
    "button.much_{}": ("all", "urgent"), "cannot_reason.{}": tuple(_raw("reminders")["cannot_reason"]),
    "cannot.{}": ("nobody_home", "other_wanted"),
    "reason.{}": ("category:childless_alone", "old_alone", "ability:moderate", "ability:severe", "ability:total",
                  "disability", "category:severely_disabled", "category:care_dependent"),
}
KEY = re.compile(r"""["']((?:{})\.[a-z_]+)["']""".format("|".join(SPACES)))
ELDER = {"name": "欧阳明", "village": "建设村", "group": "3组", "number": 5}
DUE = {"state": "open", "first": "2026-03-01", "last": "2026-03-15"}
FIELDS: dict[str, Any] = {
    "elder": "欧阳明", "section": "探访", "nth": 2, "of": 20, "ask": "问？", "sweep_over": "甲、乙", "sweep": "以上均无变化",
    "several": True, "done": "选好了", "last": "无变化", "given": "较好", "title": "记录", "say": "您好",
    "lines": [{"label": "探访方式", "value": "上门"}], "count": 3, "number": 2, "day": "2026-03-05", "method": "上门探访",
    "late": True, "due": DUE, "name": "王强", "total": 6, "people": [
        {**ELDER, "due": DUE, "paused": "hospital", "wish": "unwilling", "day": "2026-03-05"}], "care_class": "priority",
    "reasons": [("old_alone", 86)], "visits": [{"number": 1, "day": "2026-02-20", "method": "上门探访", "late": True}],
    "versions": 2, "changes": [{"when": "2026-03-05", "who": "王强", "what": "moved", "why": "写错"}], "text": "探访 姓名",
    "left": 2, "label": "甲", "village": "建设村", "group": "3组", "least": 1, "most": 20, "registered": "2026-01-01",
    "length": 10000, "first": "3月1日 周日", "place": 3, "digit": "4", "optional": True, "forms": True, "year": 2026, "month": 3,
    "weekday": "周四", "since": "2026-03-05", "until": "2026-03-20", "to": "河坝村",
    "words": "摔了一跤", "wish": "willing", "old": True, "status": "paused",
    "wishes": [{"day": "2026-03-05", "wish": "unwilling", "basis": "duty", "by": "王强"}],
    "area": "建设村", "why": "打不开。", "code": "012345", "what": "ledger", "rows": 3,
    "part": "第一部分", "next": "第二部分", "maker": "王强", "where": "云溪镇建设村", "state": "refused", "reason": "写错",
    "yours": True, "by": "township", "visitor": "王强", "missing": ["phone", "household"], "same": False,
}
FIGURES = {"on_ledger": 6, "due": 5, "met": 3, "late": 1, "seen": 4, "missed": 1, "waiting": 1, "paused": 1, "refused": 1,
        "excused": 1, "left": 1, "left_missed": 1, "visits": 7, "home": 5, "phone": 1, "video": 1, "other": 0,
        "rate": 66.6, "later": 2, "now_seen": 5, "now_rate": 83.3}
MONTH = {"month": 3, "state": "settling", "cut_off": "2026-04-03", **FIGURES}
OFFICES = [{"role": "family", "area": "建设村", "kind": "", "elder": "欧阳明"},
           {"role": "visitor", "area": "建设村", "kind": "a_county_s_own", "elder": ""}]
FIELDS |= {
    "yours": False, "robot": True, "label": "1 安全", "words": ["取消"], "members": 3, "offices": OFFICES, "invited": "钱进", "channel": "telegram", "tail": "7001", "listed": False, "area": "建设村",
    "links": ["https://t.me/b?start=x"], "token": "x", "days": 7, "minutes": 30, "code": "123456", "bound": 1, "same": 1,
    "again": True, "skip": 0, "role": "visitor", "kind": "grid_worker", "several": True,
    "invitations": [{"name": "钱进", "offices": OFFICES, "waits": False, "until": "2026-03-12"}],
    "channels": [{"channel": "telegram", "tail": "7001", "since": "2026-03-05", "here": True, "preferred": True}],
}
FIRST_CONTACT = {"contact": "仇小梅", "by": ["village"], "wanted": ["township"], "bound": False, "why": "child_here"}
CARD = {"organisation": "职院", "service": "量血压", "no_kind": True, "minor_until": "2026-09-01", "consent": "",
        "status": "active", "elders": ["欧阳明"], "told": False, "cut_off": True}
LINE = {"n": 1, "name": "欧阳明", "number": 5, "left": -2, "last": "2026-03-15", "role": "contact", "priority": True, "needs": 1,
        "hazards": 1, "risk": True}
FIELDS |= {
    "late": 1, "pressing": "late", "groups": [{"village": "建设村", "group": "3组", "people": [LINE]}], "asks": True,
    "stand_in": "钱进", "leaves": [{"first": "2026-03-05", "last": "2026-03-06", "stand_in": "钱进"}], "told": True, "over": False,
    "his": True,
    "hour": "08:30", "much": "urgent",
}
CAMPAIGN = {"name": "cold", "area": "建设村", "first": "2026-03-05", "last": "2026-03-07", "state": "open", "remote": True, "every_days": 3,
            "within_hours": 24, "until": "2026-03-06", "at": "14:00", "past": False, "home_only": False, "advice": ["cold"], "wanted": 6,
            "reached": 2, "left": 4, "paused": 1, "parts": [{"name": "建设村", "wanted": 6, "reached": 2}], "managed": True, "total": 6,
            "people": [{**ELDER, "age": 86, "wish": "unwilling", "care_class": "priority"}], "more": 3, "names": ["cold", "火把节"],
            "skip": 8, "by_phone": True, "come": True, "elder": {**ELDER, "age": 86, "wish": "unwilling"}}
CAMPAIGN |= {"lines": [{**CAMPAIGN, "name": "spring 2"}], "campaigns": [CAMPAIGN]}
REQUEST = {"kind": "visit", "due_on": "2026-03-05", "state": "taken", "taker": "王强", "urgent": True}
CALL = {"day": "2026-03-05", "method": "wechat", "outcome": "fine", "name": "李娜"}
FIELDS |= REQUEST | {
    "told": 2, "asker": "李娜", "call": CALL, "asked": [REQUEST], "away": True, "allowed": False, "at": "19:00", "weekday": 6,
    "plan": {"weekday": 6, "at": "19:00", "shares": True, "summaries": "each"}, "shares": True, "outcome": "fine", "moved": True,
    "all": True, "areas": {"health": ["行动能力较差"], "mood": [], "home": [], "needs": ["看病用药"]}, "calls": 2,
    "answer": "路断了", "mine": True, "measure": "请村医看看", "answers": "王强", "withheld": ["health"], "older": True, "silent": "",
}
OF_FAMILY: dict[str, dict[str, Any]] = {
    "family.card": {"last": "2026-03-05"}, "family.fine": {"method": "phone"}, "family.method": {"method": "phone"}, "button.unask": REQUEST, "button.request": REQUEST, "family.call": CALL,
    "family.month": {"visits": 2}, "family.beside": {"told": [
        {"name": "李娜", "allowed": True, "withheld": ["mood"], "day": "2026-03-05", "asker": "王强", "cut_off": False},
        {"name": "李军", "allowed": None, "withheld": [], "day": "", "asker": "", "cut_off": True}], "needs": 1, "silent": "2026-03-01"},
    "found.family": {"label": {"name": "李娜"}}, "found.answerable": {"label": {"name": "王强"}},
    "requests.list": {"lines": [{**REQUEST, "elder": "欧阳明"}]}, "requests.made": {"elder": ELDER}, "requests.card": {"elder": ELDER},
    "requests.taken": {"elder": ELDER},
    "needs.list": {"lines": [{"elder": "欧阳明", "state": "arranged", "day": "2026-03-05", "due_on": "2026-03-09", "answers": "王强",
                              "late": True}]},
    "needs.card": {"elder": ELDER, "what": "膝盖疼", "state": "closed"}, "needs.raised": {"elder": ELDER},
    "needs.yours": {"elder": ELDER}, "needs.moved": {"what": "膝盖疼", "state": "arranged"},
}
BY_KEY: dict[str, dict[str, Any]] = {
    **{key: CAMPAIGN for key in sources() if key.startswith("campaigns.")}, "campaigns.called": {**CAMPAIGN, "left": [CAMPAIGN]},
    "button.campaign_next": {"label": ELDER}, "button.campaign_reach": {"label": ELDER}, "button.tips_of": {"advice": "heat"},
    "found.held": {"label": {"name": "云溪镇"}}, "button.campaign_named": {"name": "dragon_boat"},
    **{key: FIRST_CONTACT for key in sources() if key.startswith("firstcontact.")},
    "people.list": {"people": [{"name": "王强", "offices": OFFICES, "load": 3, "status": "suspended"}]},
    "people.carers": {"elder": ELDER, "carers": [
        {"role": "first_contact", "name": "仇小梅", "waits": True, "until": "2026-09-01"}]},
    "people.without": {"people": [ELDER]}, "firstcontact.without": {"people": [ELDER]},
    "people.which_part": {"parts": [{"village": "建设村", "count": 3}]},
    "people.card": CARD, "people.assigned": CARD, "people.handing": CARD, "people.handed": CARD,
    **OF_FAMILY,
    **{key: {"why": "died", "what": "hospital"} for key in sources() if key.startswith("life.")},
    "life.wish_kept": {"again": "2026-04-04"}, "life.wish_paused": {"told": False}, "life.card": {"elder": ELDER, "what": "moved"}, "notices.moved_here": {"elder": ELDER},
    "reminders.digest_over": {"lines": [{"village": "建设村", "overdue": 1, "alone": 1, "first": [LINE], "more": 2}]},
    **{f"leave.{key}": {"first": "2026-03-05", "last": "2026-03-06"} for key in _raw("reminders")["leave"]},
    **{key: {"first": "2026-03-05", "last": "2026-03-15"} for key in ("button.leave_withdraw", "cannot.seen", "cannot.days",
                                                                       "reminders.away")},
    "settings.now": {"first": "08:00", "last": "19:30"}, "settings.hour_range": {"first": "08:00", "last": "19:30"},
    **{f"cannot.{key}": {"elder": ELDER, "reason": "weather"} for key in ("why", "nobody_home", "other_wanted")},
    **{f"remind.{key}": {"people": [{"name": "王强", "how": "now", "day": "", "count": 1}]} for key in ("told", "told_in")},
    "remind.one": {"how": "put_off", "day": "2026-03-06"}, "button.at_hour": {"hour": "09:00"},
    "notices.pause_over": {"elder": ELDER}, "notices.consent_withdrawn": {"elder": ELDER},
    "notices.life_changed": {"what": "hospital"}, "found.any_village": {"label": {"name": "河坝村"}},
    "button.hours_proof": {"first": "2026-02-15", "last": "2026-08-31"}, "hours.file": {"last": "2026-08-31"}, "found.visitor_kinds": {"label": {"name": "student"}},
    "plan.told": {"first": "2026-03-05", "last": "2026-03-18", "later": 2, "days": [{"day": "2026-03-05", "walks": [{
        "village": "建设村", "group": "3组", "people": [{"name": "欧阳明", "overdue": True, "last_day": False}]}]}]},
    "plan.none": {"later": 2}, "plan.event": {"names": ["欧阳明"]}, "plan.file": {"first": "2026-03-05"},
    "hours.told": {"terms": [{"first": "2026-02-15", "last": "2026-08-31", "times": 2, "minutes": 75}]},
    "hours.text": {"first": "2026-02-15", "last": "2026-08-31", "times": 2, "organisation": "职院"},
    "binding.welcome": {"by": "赵敏"}, "binding.forward": {"by": "赵敏"},
    "menu.elder": {"elder": ELDER}, "button.person": {"label": ELDER}, "found.elders": {"label": ELDER},
    "found.villages": {"label": {"name": "建设村"}},
    "found.visitors": {"label": {"name": "王强", "area": "建设村", "load": 3}},
    "notices.left_alone": {"elder": ELDER}, "notices.caseload": {"elder": ELDER, "count": 2}, "notices.visit_due": {"elder": ELDER, "last": "2026-03-15"},
    "pending.list": {"lines": [{"what": "life", "name": "欧阳明", "maker": "王强", "day": "2026-03-05"}]},
    "button.proposal": {"what": "life"}, "notices.decided": {"what": "life"}, "notices.to_confirm": {"what": "life"},
    "registration_form.made": {"whole": False}, "registration.revised": {"missing": 2}, "pending.withdrawn": {"what": "life"}, "numbers.to_complete": {"people": [{"label": ELDER, "count": 2}]},
    "numbers.ledger": {
        "where": "", "villages": 2, "open": 3, "classes": {"priority": 1}, "categories": {"living_alone": 2}, "paused": {"hospital": 1},
        "wishes": {"unwilling": 1}, "closed": {"died": 1}, "lacking": {"phone": 2}, "growing": 1, "incomplete": 2, "old": 0,
        "no_visitor": 0, "no_first_contact": 1, "proposed": 0}, "survey.written": {"group": "3组", "short": 3, "left": ["5组"]},
    "survey.village": {"groups": [{"name": "3组", "registered": 2, "day": "2026-03-05", "households": 42, "found": 5}]},
    "survey.villages": {"lines": [{"village": "建设村", "done": 1, "total": 3}], "more": 2}, "menu.template_unclear": {"lines": ["日期"]},
    "menu.help": {"lines": ["帮助"], "elder": True}, "helping.topic": {"topic": "file", "lines": ["帮助"]}, "button.topic": {"topic": "own"}, "values.day": {"day": 5}, "values.full_day": {"day": 5},
    "refuse.too_many_digits": {"given": 13},
    "figures.told": {"month": 0, "quarter": 1, "months": [MONTH, {**MONTH, "state": "running"}], "whole": FIGURES, "classes": [
        {"name": "general", **FIGURES}], "no_first_contact": 2, "open_needs": 1, "groups": 5, "surveyed": 3, "forces": {"": 1, "student": 2}},
    "figures.by_area": {"level": "village", "lines": [{"name": "建设村", **FIGURES}], "more": 3, "quarter": 1},
    "figures.file": {"quarter": 1}, "figures.file_name": {"quarter": 1}, "figures.progress": {"done": 1, "total": 2},
    "figures_button.below": {"level": "county"}, "figures_sheet.title": {"quarter": 1}, "figures_sheet.month_of": {"state": "running"},
    "figures_sheet.how_lines": {"days": 3},
    "files.preview": {"area": "建设村", "new": 12, "changed": 3, "faulty": 2, "same": 1, "left": 2, "attached": "difference"},
    "files.applied": {"area": "建设村", "new": 12, "changed": 3, "faulty": 2, "left": 2},
    "matching.compared": {"matched": 5, "differing": 2, "lines": 3, "ended": 1, "absent": 4, "unread": 1, "days": 14},
    "area_tree.looked": {"area": "云溪镇", "new": 12, "there": 3, "faulty": 2},
    "area_tree.added": {"area": "云溪镇", "new": 12, "faulty": 2},
    "matching.taken": {"taken": 3, "already": 1, "changed": 1, "left": 2},
    "files.page_upload": {"link": "https://x/f/y", "minutes": 30},
    "files.page_download": {"link": "https://x/f/y", "minutes": 30},
}
ADDED = {"photos": 2, "voices": 1, "places": [{"where": "28.87, 105.44", "link": "https://x"}], "elsewhere": False}
CALLS = {"to_call": [{"name": "李涛", "phone": "13912345678", "state": "not_reached", "texted": True}], "elsewhere": False, "untold": True, "sent": False, "none": False}
STEP = {"after": 3, "ranks": ["near", "township"]}
REACH = {"seen": ["王强"], "waiting": ["李娜"], "unreached": ["李军"]}
SAID = {"kind": "heart_rate", "number": 38}
DEVICE: dict[str, Any] = {
    "vendor": "anxin", "serial": "A1", "said": SAID, "heard": False, "raised": 0, "damped": "2026-03-06", "mistaken": 2, "time": "02:10", "answer": "fine",
    "number": "A-0001", "sent": [{"said": SAID, "state": "note", "day": "2026-03-05", "time": "02:10"}],
    "lines": [{"elder": ELDER, "vendor": "anxin", "serial": "A1", "day": "2026-03-05", "time": "02:10", "damped": "", "mistaken": 0,
               "said": SAID}]}
BY_KEY |= {
    **{key: {"number": "A-0001", "time": "02:10", "who": "王强", "goes": True, "what": "help"}
       for key in sources() if key.startswith("alerts.")},
    **{key: DEVICE for key in sources() if key.startswith("devices.")}, **{f"devices.{name}": {**DEVICE, "elder": ELDER}
       for name in ("asks", "noisy", "card", "line")},
    "found.vendors": {"label": {"name": "anxin"}}, "button.device_of": {"serial": "A1"}, "button.device_damp": {"days": 3},
    "alerts.raised": {"number": "A-0001", "elder": ELDER, "what": "help", "late": True, "goes": True, "who": "", "time": "02:10", "device": SAID, "call": "0830-6123456", "afar": True},
    "alerts.card": {"asks": True, "number": "A-0001", "elder": ELDER, "what": "help", "state": "open", "address": "3组1号", "who": "王强", "device": None,
                    "time": "02:10", "since": "02:11", "there": "02:20", "support": "02:21", "offered": "钱进", "beside": {"calls": CALLS, "added": ADDED},
                    "reach": REACH},
    "reach.thanks": {"goes": True}, "reach.missed": {"number": "A-0001", "elder": "欧阳明", "names": ["李娜"]}, "reach.card": {"reach": REACH},
    "alerts.ended": {"number": "A-0001", "state": "closed", "family": True, "found": "没事", "done": "看了", "risk": "left", "who": "王强",
                     "time": "02:10"},
    "alerts.list": {"lines": [{"drill": 1, "number": "A-0001", "elder": "欧阳明", "what": "help", "minutes": 3, "who": "王强", "there": True,
                               "support": True}]},
    **{f"checkins.{name}": {"elder": ELDER} for name in ("contact", "skipped", "unanswered", "silent", "said_unwell")},
    "checkins.home": {"at": "08:00", "visitors": ["王强"], "call": "李娜 13912345678"},
    "checkins.contact": {"elder": ELDER, "minutes": 30}, "checkins.said_unwell": {"elder": ELDER, "what": "body"},
    "button.unwell_what": {"what": "body"}, "checkins.card": {"at": "08:00", "bound": True, "stage": "fine"},
    "checkins.set": {"at": "08:00", "bound": False}, "checkins.ask": {"again": True}, "checkins.paused": {"why": "hospital"},
    "checkins.well": {"by": "李娜"},
    **{key: {"number": "A-0001", "village": "建设村", "minutes": 60, "count": 2, "time": "09:12", "anybody": False,
             "offered": "钱进", "goes": True, "night": True, "first": "21:30", "last": "06:30", "ranks": ["near", "township"], "after": 3,
             "steps": [STEP], "others": [{"kinds": ["fire"], "steps": [STEP, {**STEP, "after": 0}]}], "area": "建设村",
             "lines": [{"village": "建设村", "what": "fire", "count": 2}], "what": "fire", "elder": "欧阳明", "who": "王强"}
       for key in sources() if key.startswith("ladder.")},
    "ladder.duty": {"area": "建设村", "night": False, "first": "21:30", "last": "06:30", "steps": [STEP], "others": [], "ranks": [
        {"rank": "near", "reached": True, "people": [
            {"name": "王强", "role": "visitor", "kind": "grid_worker", "channel": "telegram"},
            {"name": "赵敏", "role": "village", "kind": None, "channel": None}]},
        {"rank": "county", "reached": False, "people": []}]},
    "alerts.lasted": {"minutes": 1501}, "afar.first": {"what": "fall"}, "button.alert_of": {"number": "A-0001"}, **{f"drill.{key}": {"number": "A-0001", "what": "fall", "made_up": True, "minutes": 60}
                                                for key in _raw("drill")["sentences"]},
    "family_choice.which": {"number": "A-0001", "what": "abuse", "told": ["李娜"]},
    "family_choice.told": {"elder": ELDER, "what": "abuse", "who": ""}, "family_choice.ended": {"elder": ELDER}, "calling.numbers": {"calls": CALLS},
    **{f"added.{key}": {"number": "A-0001", "who": "王强", "step": "photo", "time": "02:10", "where": "28.87, 105.44"}
       for key in _raw("added")["sentences"]}, "added.card": {"added": ADDED}, "button.see_photo": {"n": 1}, "button.see_voice": {"n": 2},
    **{key: {"number": "A-0001", "what": "fall", "seconds": 60, "line": "120", "raised": False, "afar": True} for key in sources() if key.startswith("sos.")},
    **{key: {"number": "A-0001", "what": "fall", "again": True, "numbers": ["A-0001"], "said": {
        "risk_gone": "not_yet", "relieved": "", "referred": "yes"}, "found": "没事", "done": "看了", "risk": "left"}
       for key in sources() if key.startswith("followups.")},
    "alerts.ended_list": {"days": 7, "lines": [{"drill": 0, "number": "A-0001", "elder": "欧阳明", "what": "fall", "state": "closed",
                                               "day": "2026-03-05"}]},
    "followups.card": {"number": "A-0001", "what": "fall", "elder": ELDER, "found": "没事", "done": "看了", "risk": "left", "said": {
        "risk_gone": "not_yet", "relieved": "", "referred": "yes"}},
    "followups.list": {"lines": [{"number": "A-0001", "elder": "欧阳明", "what": "fall", "day": "2026-03-05"}]},
    **{key: {"number": "A-0001", "elder": ELDER, "what": "fall", "state": "closed", "words": "在三楼", "drill": 0}
       for key in sources() if key.startswith("alert_record.")}, "alert_record.step_of": {"said": "x"},
    "button.sos_what": {"what": "fall"},
    "glass.file": {"number": "A-0001", "elder": ELDER, "emergency_name": "李娜", "emergency_phone": "1", "emergency2_name": "",
                   "emergency2_phone": "2", "phone": "3", "address": "3组1号", "illnesses": ""},
    **{f"groups.{name}": {"number": "A-0001", "drill": True, "name": "欧阳某", "what": "lost", "state": "open", "who": "王强",
                          "time": "02:10", "anew": "again", "link": "https://t/a/x"} for name in ("alert", "to_forward", "page_line", "page_link")},
    "groups.see_below": {"number": "A-0001"}, "groups.elsewhere": {"number": "A-0001"}, "groups.forward": {"number": "A-0001"},
    "groups.list": {"lines": [{"village": "建设村", "kind": "robot", "channel": "wecom", "by": "周梅", "day": "2026-03-05"}]},
    "glass.told": {"number": "A-0001", "elder": ELDER, "who": "孙丽", "reason": "glass_here", "time": "02:10"},
}
SAID_HERE = [key for key in sources() if key.partition(".")[0] in SPACES]


@pytest.fixture(params=[False, True], ids=["at home", "abroad"])
def words(request: pytest.FixtureRequest) -> Words:
    return Words(abroad=request.param)


@pytest.mark.parametrize("key", SAID_HERE)
def test_a_sentence_can_be_said_with_its_fields(key: str, words: Words) -> None:
    fields = {**FIELDS, **BY_KEY.get(key, {})}
    said = words.say(key, fields)
    assert said.strip()
    assert not re.search(r"[{}]|None|Undefined|\n\n\n", said)
    if words.named is not str:
        assert "欧阳明" not in said


@pytest.mark.parametrize("key", [key for key in SAID_HERE if "{{" in sources()[key]])
def test_a_missing_field_is_an_error_and_not_a_gap(key: str) -> None:
    with pytest.raises((UndefinedError, TypeError)):
        Words().say(key, {})


def test_each_sentence_that_the_code_speaks_of_exists() -> None:
    made = {pattern.format(gap) for pattern, gaps in MADE.items() for gap in gaps}
    spoken = set(KEY.findall(CODE + FORMS)) | made
    assert sorted(spoken - set(sources()) - set(_raw("audit")["audit_action"])) == []


def test_each_sentence_is_spoken_of_somewhere() -> None:
    made = {pattern.format(gap) for pattern, gaps in MADE.items() for gap in gaps}
    spoken = set(KEY.findall(CODE + FORMS + TEMPLATES)) | made
    assert sorted(set(SAID_HERE) - spoken) == []


def test_each_kind_of_made_key_is_made_somewhere() -> None:
    for pattern in MADE:
        space, _, gap = pattern.partition(".")
        if space in WORDS.values():  # made by a filter
            continue
        assert re.search(rf"{space}\.{re.escape(gap.split('{')[0])}\{{", CODE), pattern


def test_each_word_for_a_command_calls_one_command() -> None:
    calls = [call for named in NAMES.values() for call in (f"/{named.slash}", *named.words)]
    assert len(calls) == len(set(calls))


@pytest.mark.parametrize(("name", "short"), [
    ("张桂芳", "张某"), ("欧阳明", "欧阳某"), ("单于大山", "单于某"), ("单秀英", "单某"), ("曾", "曾某")])
def test_a_name_that_may_not_be_told_is_surname_and_someone(name: str, short: str) -> None:
    assert pseudonym(name) == short


def test_no_sentence_blames_or_talks_like_a_machine() -> None:
    for path in (*FILES, *FOLDER.parent.glob("forms/*.toml")):
        found = re.findall(r"错误|非法|无效|失败|异常|禁止|必须|系统|您必", path.read_text(encoding="utf-8"))
        assert not found, (path.name, found)


@pytest.mark.parametrize("iso", ["2026-03-05", "2028-02-29", "2026-12-31"])
def test_a_day_is_said_with_its_weekday(iso: str) -> None:
    assert re.fullmatch(r"\d{1,2}月\d{1,2}日 周[一二三四五六日]", Words().day(iso))


@pytest.mark.parametrize(("minutes", "told"), [
    (0, "0 分钟"), (59, "59 分钟"), (60, "1 小时"), (125, "2 小时 5 分钟"), (1440, "1 天"), (1505, "1 天 1 小时"),
    (4321, "3 天"), (14400, "10 天")])
def test_how_long_an_alert_runs_is_said_in_minutes_hours_and_days(minutes: int, told: str) -> None:
    line = {"drill": 0, "number": "A-0001", "elder": "", "what": "help", "minutes": minutes, "who": "", "there": False,
            "support": False}
    assert f" · {told} · " in Words().say("alerts.list", {"total": 1, "lines": [line]})


def test_every_warning_of_a_form_is_a_sentence() -> None:
    for form in from_folder().current.values():
        for question in form.questions:
            for option in question.options:
                assert not option.warns or option.warns in sources()
