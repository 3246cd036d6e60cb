// The page: which phones are shown, the clock, and the way between phones and server.

import {ask, listen, Outbox, pause, post, upload} from "/playground/wire.js";
import {PhoneView} from "/playground/phone.js";

const MOST = 4, AT_FIRST = 3;
const SHOWN = "tanfang.shown";
const HOUR = 3600e3, OFFSET = 8 * HOUR; // Asia/Shanghai has no summer time
const NOW = new Intl.DateTimeFormat("zh-CN", {timeZone: "Asia/Shanghai", year: "numeric", month: "long",
  day: "numeric", weekday: "long", hour: "2-digit", minute: "2-digit", hourCycle: "h23"});
const MOVES = {
  hour: (now) => now + HOUR,
  morning: (now) => (Math.floor((now + OFFSET) / (24 * HOUR)) + 1) * 24 * HOUR + 8.5 * HOUR - OFFSET,
  day: (now) => now + 24 * HOUR,
  week: (now) => now + 7 * 24 * HOUR,
};
const REFUSED = {404: "这部手机或这条消息已经不在了。", 409: "时钟只能往前走。", 413: "太大了，没有发出去。",
  415: "这个文件打不开，请换一个。"};
const REFUSED_FILE = {413: "这个文件太大了，最大 20 MB，没有发出去。", 415: "这里只收 Excel 文件（.xlsx、.xls），没有发出去。"};

const by = (id) => document.getElementById(id);
const path = (phone) => `/phones/${encodeURIComponent(phone)}/messages`;

let phones = [], shown = [], active = "", now = 0;
const views = new Map(), unread = new Map();

const outbox = new Outbox({
  sent: (item, answer) => { if (answer.phone) joined(answer.phone); },
  refused: (item, status) => {
    trouble(REFUSED[status] || "没有发出去，请再试一次。");
    if (item.body.text && status !== 404) views.get(item.phone)?.back(item.body.text);
  },
  changed: (phone) => views.get(phone)?.refresh(),
});

function trouble(words) {
  by("trouble").textContent = words;
  by("trouble").hidden = !words;
  clearTimeout(trouble.timer);
  trouble.timer = setTimeout(() => { by("trouble").hidden = true; }, 8000);
}

async function patiently(work) {
  for (;;) {
    try { return await work(); } catch { await pause(1000); }
  }
}

async function loadPhones() {
  phones = (await patiently(() => ask("/phones"))).phones;
  for (const phone of phones) views.get(phone.id)?.describe(phone);
  arrange();
}

function remembered() {
  try {
    const kept = JSON.parse(localStorage.getItem(SHOWN));
    if (Array.isArray(kept)) return kept.slice(0, MOST);
  } catch { /* unreadable: as if there were none */ }
  return null;
}

function show(ids) {
  shown = ids;
  try { localStorage.setItem(SHOWN, JSON.stringify(ids)); } catch { /* full: only not remembered */ }
  arrange();
}

// Brings the page in line with `shown`.
function arrange() {
  shown = shown.filter((id) => phones.some((phone) => phone.id === id));
  for (const [id, view] of views) {
    if (!shown.includes(id)) { view.element.remove(); views.delete(id); }
  }
  for (const id of shown) {
    unread.delete(id);
    if (!views.has(id)) open(phones.find((phone) => phone.id === id));
    by("phones").append(views.get(id).element);
  }
  if (!shown.includes(active)) active = shown[0] || "";
  by("empty").hidden = shown.length > 0;
  tabs();
  counts();
}

function open(phone) {
  const {id} = phone;
  const view = new PhoneView(phone, {
    does: (what) => outbox.add(id, path(id), what),
    uploads: async (kind, file) => {
      const answer = await upload(id, kind, file);
      if (answer.ok) return (await answer.json()).ref;
      trouble((kind === "file" && REFUSED_FILE[answer.status]) || REFUSED[answer.status] || "没有发出去，请再试一次。");
      return "";
    },
    earlier: (before) => patiently(() => ask(`${path(id)}?before=${encodeURIComponent(before)}`)),
    waits: () => outbox.of(id),
  });
  views.set(id, view);
  patiently(() => ask(path(id))).then((page) => view.load(page));
}

function tabs() {
  by("tabs").replaceChildren(...shown.map((id) => {
    const phone = phones.find((each) => each.id === id), tab = document.createElement("button");
    tab.type = "button";
    tab.role = "tab";
    tab.textContent = phone.title || "新手机";
    const more = document.createElement("small");
    more.textContent = phone.subtitle;
    tab.append(more);
    tab.setAttribute("aria-selected", id === active);
    tab.setAttribute("aria-controls", `phone-${id}`);
    tab.classList.toggle("unread", unread.has(id) && id !== active);
    tab.tabIndex = id === active ? 0 : -1; // the arrows go from tab to tab
    tab.onclick = () => { active = id; unread.delete(id); tabs(); views.get(id).toEnd(); };
    tab.onkeydown = (event) => {
      const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
      if (!step) return;
      by("tabs").children[(shown.indexOf(id) + step + shown.length) % shown.length].click();
      by("tabs").children[shown.indexOf(active)].focus();
    };
    views.get(id).element.classList.toggle("active", id === active);
    return tab;
  }));
}

function counts() {
  const elsewhere = [...unread].filter(([id]) => !shown.includes(id)).reduce((sum, [, count]) => sum + count, 0);
  by("elsewhere").textContent = `${elsewhere} 条新消息`;
  by("elsewhere").hidden = !elsewhere;
}

function received(message) {
  const phone = phones.find((each) => each.id === message.phone);
  if (!phone || !phone.title) loadPhones(); // a newcomer, or one whose name is known by now
  views.get(message.phone)?.show(message);
  if (!message.speaker && !message.edited && message.phone !== active) {
    unread.set(message.phone, (unread.get(message.phone) || 0) + 1);
    counts();
    tabs();
  }
}

async function joined(phone) {
  await loadPhones();
  active = phone;
  show([phone, ...shown.filter((id) => id !== phone)].slice(0, MOST));
}

function setClock({now: iso}) {
  now = Date.parse(iso);
  by("now").textContent = NOW.format(now);
  by("now").dateTime = iso;
}

async function move(to) {
  const buttons = [...document.querySelectorAll("[data-move]")];
  for (const button of buttons) button.disabled = true;
  try {
    const answer = await post("/clock", {to: new Date(to).toISOString()});
    if (answer.ok) setClock(await answer.json());
    else trouble(REFUSED[answer.status] || "时钟没有拨动，请再试一次。");
  } catch { trouble("时钟没有拨动，请再试一次。"); }
  for (const button of buttons) button.disabled = false;
}

function choices() {
  const wanted = by("filter").value.trim();
  by("choices").replaceChildren(...phones.filter(
    (phone) => `${phone.title} ${phone.subtitle}`.includes(wanted)).map((phone) => {
    const label = document.createElement("label"), box = document.createElement("input");
    const name = document.createElement("span"), more = document.createElement("small");
    box.type = "checkbox";
    box.checked = shown.includes(phone.id);
    box.disabled = !box.checked && shown.length >= MOST;
    box.onchange = () => {
      show(box.checked ? [...shown, phone.id] : shown.filter((id) => id !== phone.id));
      choices();
      by("choices").querySelector(`[data-phone="${CSS.escape(phone.id)}"]`)?.focus();
    };
    box.dataset.phone = phone.id;
    name.textContent = phone.title || "新手机";
    const fresh = !box.checked && unread.get(phone.id);
    more.textContent = phone.subtitle + (fresh ? ` · ${fresh} 条新消息` : "");
    label.append(box, name, more);
    return label;
  }));
}

function start() {
  for (const button of document.querySelectorAll("[data-move]")) {
    button.onclick = () => move(MOVES[button.dataset.move](now));
  }
  by("choose").onclick = () => { by("filter").value = ""; choices(); by("chooser").showModal(); };
  by("filter").oninput = choices;
  by("done").onclick = () => by("chooser").close();
  const address = new URL(location.href), token = address.searchParams.get("start");
  if (token) { // taken out of the address at once: a link serves one person, and a reload must not send it again
    address.searchParams.delete("start");
    history.replaceState(null, "", address);
  }
  let first = true;
  listen({
    message: received,
    clock: setClock,
    line: async (up) => {
      by("lost").hidden = up;
      if (!up) return;
      outbox.sendAll();
      if (!first) return;
      first = false; // only now, so that nothing falls between the messages loaded and the events heard
      await loadPhones();
      show(remembered() || phones.slice(0, AT_FIRST).map((phone) => phone.id));
      if (token) outbox.add("", "/phones", {token});
    },
  });
}

start();
