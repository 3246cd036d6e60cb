// Talks to the server: requests, what waits to be sent, and the stream of events.

export const API = "/playground/api";
const UNSENT = "tanfang.unsent.";
const FIRST_PAUSE = 500, LONGEST_PAUSE = 4000; // milliseconds
const SILENCE = 10000; // the server speaks every two seconds: after this long the line is dead

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// crypto.randomUUID is there only on https and localhost, and the page may be opened by a LAN address
export const newKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

export async function ask(path) {
  const answer = await fetch(API + path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

export function post(path, body) {
  return fetch(API + path, {method: "POST", headers: {"content-type": "application/json"}, body: JSON.stringify(body)});
}

// Sends the bytes until the server has them; gives the answer, which may be a refusal.
export async function upload(phone, kind, file) {
  for (let wait = FIRST_PAUSE; ; wait = Math.min(wait * 2, LONGEST_PAUSE)) {
    try {
      const answer = await fetch(`${API}/phones/${encodeURIComponent(phone)}/media?kind=${kind}`, {
        method: "POST", headers: {"content-type": (kind !== "file" && file.type) || "application/octet-stream"}, body: file});
      if (answer.status < 500) return answer;
    } catch { /* no connection: again */ }
    await pause(wait);
  }
}

// Keeps what was not acknowledged, also through a reload, and sends it in order with the same key until it is.
export class Outbox {
  constructor({sent, refused, changed}) {
    this.on = {sent, refused, changed};
    this.items = new Map(); // name -> {phone, path, body}; names sort by time
    this.running = new Map(); // phone -> a function that ends the pause
    this.counter = 0;
    for (const name of Object.keys(localStorage).filter((key) => key.startsWith(UNSENT)).sort()) {
      try { this.items.set(name, JSON.parse(localStorage.getItem(name))); } catch { localStorage.removeItem(name); }
    }
  }

  add(phone, path, body) {
    const name = `${UNSENT}${String(Date.now()).padStart(15, "0")}-${String(this.counter++).padStart(6, "0")}`;
    const item = {phone, path, body: {key: newKey(), ...body}};
    this.items.set(name, item);
    try { localStorage.setItem(name, JSON.stringify(item)); } catch { /* full: kept in memory only */ }
    this.on.changed(phone);
    this.send(phone);
  }

  of(phone) { return [...this.items.values()].filter((item) => item.phone === phone); }
  has(key) { return [...this.items.values()].some((item) => item.body.key === key); }

  sendAll() {
    for (const phone of new Set([...this.items.values()].map((item) => item.phone))) this.send(phone);
  }

  async send(phone) {
    if (this.running.has(phone)) { this.running.get(phone)(); return; }
    this.running.set(phone, () => {});
    let wait = FIRST_PAUSE;
    for (;;) {
      const next = [...this.items].find(([, item]) => item.phone === phone);
      if (!next) break;
      const [name, item] = next;
      let answer = null;
      try { answer = await post(item.path, item.body); } catch { /* no connection: again */ }
      if (answer && answer.status < 500) {
        this.items.delete(name);
        localStorage.removeItem(name);
        wait = FIRST_PAUSE;
        if (answer.ok) this.on.sent(item, await answer.json().catch(() => ({})));
        else this.on.refused(item, answer.status);
        this.on.changed(phone);
      } else {
        this.on.changed(phone);
        await new Promise((resolve) => { this.running.set(phone, resolve); setTimeout(resolve, wait); });
        wait = Math.min(wait * 2, LONGEST_PAUSE);
      }
    }
    this.running.delete(phone);
  }
}

// Follows the events, and comes again by itself with the last id it saw. `line(up)` says how the connection is.
export function listen({message, clock, line}) {
  let last = "", timer = 0;
  const open = () => {
    const source = new EventSource(`${API}/events${last && `?after=${last}`}`);
    const again = () => {
      clearTimeout(timer);
      source.close();
      line(false);
      setTimeout(open, 1000);
    };
    const heard = (event) => {
      clearTimeout(timer);
      timer = setTimeout(again, SILENCE);
      if (event.lastEventId) last = event.lastEventId;
      return JSON.parse(event.data);
    };
    timer = setTimeout(again, SILENCE);
    source.onerror = again;
    for (const name of ["new", "edited"]) source.addEventListener(name, (event) => message(heard(event)));
    source.addEventListener("clock", (event) => { clock(heard(event)); line(true); });
  };
  open();
}
