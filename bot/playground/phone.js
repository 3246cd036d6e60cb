// One phone: its messages, its buttons, and what its person can do. Everything shown goes through textContent.

const ZONE = {timeZone: "Asia/Shanghai"};
const TIME = new Intl.DateTimeFormat("zh-CN", {...ZONE, hour: "2-digit", minute: "2-digit", hourCycle: "h23"});
const DAY = new Intl.DateTimeFormat("zh-CN", {...ZONE, month: "long", day: "numeric", weekday: "long"});
const PLACE = {latitude: 28.87, longitude: 105.44}; // made up: Luzhou
const UPLOADING = {photo: "照片上传中", voice: "语音上传中", file: "文件上传中"};
const TYPED = "tanfang.typed."; // what is being written on a phone, by its id
const NEAR = 80; // pixels from the end that still count as reading the newest

function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

function size(bytes) {
  return bytes < 1024 ? `${bytes} 字节` : bytes < 1048576 ? `${Math.round(bytes / 1024)} KB`
    : `${(bytes / 1048576).toFixed(1)} MB`;
}

export class PhoneView {
  // `does(what)` sends one thing, `uploads(kind, file)` a file, `earlier(before)` gives a page of older messages,
  // `waits()` the things of this phone that are not acknowledged yet.
  constructor(phone, {does, uploads, earlier, waits}) {
    this.on = {does, uploads, earlier, waits};
    this.messages = new Map();
    this.rows = new Map();
    this.uploading = new Set();
    this.element = document.getElementById("phone-template").content.firstElementChild.cloneNode(true);
    this.part = (selector) => this.element.querySelector(selector);
    this.log = this.part(".log");
    this.list = this.part(".messages");
    this.text = this.part("textarea");
    this.element.id = `phone-${phone.id}`;
    this.describe(phone);
    this.composer();
    this.part(".earlier").onclick = () => this.loadEarlier();
    this.part(".below").onclick = () => this.toEnd(false);
    this.part(".hello button").onclick = () => this.does({text: "你好"});
    this.log.onscroll = () => { if (this.atEnd()) this.part(".below").hidden = true; };
    new ResizeObserver(() => { if (this.following) this.toEnd(this.reading); }).observe(this.log);
  }

  describe(phone) {
    this.phone = phone;
    const title = phone.title || "新手机";
    this.part("h2").textContent = title;
    this.part(".subtitle").textContent = phone.subtitle;
    this.part(".face").textContent = [...title][0];
    this.element.dataset.kind = phone.kind;
    this.element.setAttribute("aria-label", `${title}的手机`);
    this.list.setAttribute("aria-label", `${title}的消息`);
    const select = this.part("select"), chosen = select.value;
    this.part(".speaker").hidden = phone.kind !== "group";
    select.replaceChildren(...phone.members.map((member) => new Option(member.name, member.id)));
    if (phone.members.some((member) => member.id === chosen)) select.value = chosen;
  }

  get speaker() { return this.phone.kind === "group" ? this.part("select").value : this.phone.id; }

  composer() {
    const grow = () => {
      this.text.style.height = "auto";
      this.text.style.height = `${this.text.scrollHeight + 4}px`;
    };
    const changed = () => { grow(); this.keepTyped(); };
    const send = () => {
      if (!this.text.value.trim()) return;
      this.does({text: this.text.value});
      this.text.value = "";
      changed();
      this.text.focus();
    };
    this.text.oninput = changed;
    this.text.onkeydown = (event) => {
      // 229: the Enter that ends a composition, of which some browsers say only afterwards that it ended
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      send();
    };
    this.writes = (text) => { this.text.value = text; changed(); };
    try { this.text.value = localStorage.getItem(TYPED + this.phone.id) || ""; } catch { /* none kept */ }
    requestAnimationFrame(grow); // once it stands on the page
    this.part("form").onsubmit = (event) => { event.preventDefault(); send(); };
    this.part("select").onchange = () => { for (const id of this.rows.keys()) this.draw(id); };
    for (const kind of ["photo", "voice", "file"]) {
      const input = this.part(`.${kind}-file`);
      input.onchange = () => {
        if (input.files.length) this.upload(kind, input.files[0]);
        input.value = "";
      };
    }
    this.part(".file").onclick = () => this.part(".file-file").click();
    this.part(".photo").onclick = () => this.part(".photo-file").click();
    this.part(".voice").onclick = () => this.record();
    this.part(".cancel").onclick = () => this.stopRecording(false);
  }

  // What is half written outlives a reload, and the phone's being put away.
  keepTyped() {
    const name = TYPED + this.phone.id;
    try {
      if (this.text.value) localStorage.setItem(name, this.text.value);
      else localStorage.removeItem(name);
    } catch { /* full: only not remembered */ }
  }

  // A text that was not taken stands in the composer again, before what was written since.
  back(text) { this.writes([text, this.text.value].filter(Boolean).join("\n")); }

  does(what) {
    this.following = true;
    this.on.does(this.phone.kind === "group" ? {...what, as: this.speaker} : what);
  }

  async upload(kind, file) {
    const mark = {kind};
    this.uploading.add(mark);
    this.following = true;
    this.drawPending();
    const ref = await this.on.uploads(kind, file);
    this.uploading.delete(mark);
    if (ref) this.does(kind === "file" ? {media: [ref], name: file.name.slice(0, 200)} : {media: [ref]});
    this.drawPending();
  }

  async record() {
    if (this.recorder) { this.stopRecording(true); return; }
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({audio: true});
    } catch {
      this.part(".voice-file").click(); // no microphone, or not allowed: an audio file instead
      return;
    }
    const pieces = [];
    this.recorder = new MediaRecorder(stream);
    this.recorder.ondataavailable = (event) => pieces.push(event.data);
    this.recorder.onstop = () => {
      for (const track of stream.getTracks()) track.stop();
      if (this.keepRecording) this.upload("voice", new Blob(pieces, {type: this.recorder.mimeType.split(";")[0]}));
      this.recorder = null;
      this.showRecording();
    };
    this.recorder.start();
    this.showRecording();
  }

  stopRecording(keep) {
    this.keepRecording = keep;
    if (this.recorder) this.recorder.stop();
  }

  showRecording() {
    this.part(".voice").textContent = this.recorder ? "说完了，发送" : "语音";
    this.part(".voice").classList.toggle("recording", Boolean(this.recorder));
    this.part(".cancel").hidden = !this.recorder;
  }

  // A page of messages as the server gave it.
  load({messages, earlier}, atTop = false) {
    const height = this.log.scrollHeight, top = this.log.scrollTop;
    for (const message of messages) this.take(message);
    if (atTop || !this.loaded) this.part(".earlier").hidden = !earlier;
    this.loaded = true;
    this.drawPending();
    if (atTop) this.log.scrollTop = top + this.log.scrollHeight - height;
    else this.toEnd();
  }

  async loadEarlier() {
    const ids = [...this.messages.keys()].sort();
    this.load(await this.on.earlier(ids[0]), true);
  }

  // A message that came or changed.
  show(message) {
    const follow = this.following || this.atEnd();
    const before = this.messages.get(message.id);
    if (!this.take(message)) return;
    if (before && before.text === message.text) return; // only its buttons changed: one goes on pressing there
    if (follow) this.toEnd();
    else this.part(".below").hidden = false;
  }

  take(message) {
    const known = this.messages.get(message.id);
    if (known && known.stamp >= message.stamp) return false;
    this.messages.set(message.id, message);
    this.draw(message.id);
    this.drawPending();
    return true;
  }

  atEnd() { return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR; }

  // Shows the end; of a message that is longer than the screen, the beginning: what is asked stands above its buttons.
  toEnd(reading = true) {
    const last = this.list.lastElementChild;
    const long = reading && last && !this.part(".pending").firstChild && last.offsetHeight > this.log.clientHeight;
    this.log.scrollTop = long ? last.offsetTop - this.log.offsetTop - 8 : this.log.scrollHeight;
    this.following = true;
    this.reading = reading;
    this.log.onwheel = this.log.ontouchmove = this.log.onkeydown = () => { this.following = false; };
    this.part(".below").hidden = !long;
  }

  // What waits to be sent changed.
  refresh() {
    for (const id of this.rows.keys()) this.draw(id);
    this.drawPending();
  }

  draw(id) {
    const message = this.messages.get(id);
    const waiting = this.on.waits();
    const old = this.rows.get(id);
    const focused = old && old.contains(document.activeElement) ? document.activeElement : null;
    const row = this.row(message, waiting);
    const looks = row.outerHTML;
    if (old && old.looks === looks) return;
    row.looks = looks;
    this.rows.set(id, row);
    if (old) old.replaceWith(row);
    else this.list.insertBefore(row, [...this.list.children].find((other) => other.dataset.id > id) || null);
    for (const each of [row, row.nextElementSibling]) if (each) this.drawDay(each);
    if (focused) { // a keyboard stays where it was, or goes on to the next question's first button
      const same = [...row.querySelectorAll("button")].find((button) => button.textContent === focused.textContent);
      (same || row.querySelector("button") || this.text).focus();
    }
  }

  drawDay(row) {
    const before = row.previousElementSibling;
    row.querySelector(".day").hidden = Boolean(before) && before.dataset.day === row.dataset.day;
  }

  row(message, waiting) {
    const mine = Boolean(message.speaker) && message.speaker === this.speaker;
    const row = make("div", `row ${mine ? "mine" : "theirs"}`);
    const at = new Date(message.at), day = DAY.format(at);
    row.dataset.id = message.id;
    row.dataset.day = day;
    row.append(make("p", "day", day));
    if (this.phone.kind === "group" && !mine) {
      const member = this.phone.members.find((each) => each.id === message.speaker);
      row.append(make("p", "name", member ? member.name : message.speaker ? "群成员" : "探访"));
    }
    const bubble = make("div", "bubble");
    this.fill(bubble, message);
    row.append(bubble);
    if (message.asks_place) row.append(this.placeButton());
    if (message.buttons.length) row.append(this.buttons(message, waiting));
    const unsent = message.key && waiting.some((item) => item.body.key === message.key);
    row.append(make("p", "time", unsent ? "待发送…" : TIME.format(at)));
    return row;
  }

  fill(bubble, message) {
    for (const media of message.media) {
      if (media.kind === "photo") {
        const link = make("a");
        link.href = media.url;
        link.target = "_blank";
        const image = make("img");
        image.src = media.url;
        image.alt = "照片";
        image.onload = () => { if (this.following) this.toEnd(); };
        link.append(image);
        bubble.append(link);
      } else if (media.kind === "file") {
        const link = make("a", "document");
        link.href = media.url;
        link.download = media.name || "文件";
        link.append(make("span", "file-name", media.name || "文件"), make("span", "file-size", "点此下载"));
        bubble.append(link);
      } else {
        const audio = make("audio");
        audio.src = media.url;
        audio.controls = true;
        audio.setAttribute("aria-label", "语音");
        bubble.append(audio);
      }
    }
    if (message.place) bubble.append(make("p", "place", `位置：${message.place.latitude}, ${message.place.longitude}`));
    if (message.text) bubble.append(make("p", "text", message.text));
    if (message.document) {
      const link = make("a", "document");
      link.href = message.document.url;
      link.download = message.document.name;
      link.append(make("span", "file-name", message.document.name),
        make("span", "file-size", `${size(message.document.size)} · 点此下载`));
      bubble.append(link);
    }
  }

  placeButton() {
    const button = make("button", "inline", `发送我的位置（泸州 ${PLACE.latitude}, ${PLACE.longitude}）`);
    button.type = "button";
    button.onclick = () => this.does({place: PLACE});
    return button;
  }

  buttons(message, waiting) {
    const block = make("div", "buttons");
    const tapped = waiting.filter((item) => item.body.source === message.id).map((item) => item.body.choice);
    const pressed = tapped.length ? tapped[tapped.length - 1] : message.pressed;
    let steering = false;
    for (const line of message.buttons) {
      const numbered = line.some(({label}) => /^(☑ )?\d/.test(label)); // answers, as against what steers
      steering = !numbered && (steering || line.length > 1); // once it began, it goes on to the last row
      const row = make("div", `button-row ${numbered ? "" : steering ? "steering" : "main"}`.trim());
      for (const {label, token} of line) {
        const button = make("button", "inline", label);
        button.type = "button";
        if (token === pressed) {
          button.classList.add("pressed");
          button.setAttribute("aria-description", "已点");
        }
        button.onclick = () => this.does({choice: token, source: message.id});
        row.append(button);
      }
      block.append(row);
    }
    return block;
  }

  drawPending() {
    const shown = new Set([...this.messages.values()].map((message) => message.key));
    const words = this.on.waits().filter((item) => !item.body.source && !shown.has(item.body.key)).map(
      ({body}) => body.text || (body.place ? "位置" : body.token ? "/start" : body.name || "照片或语音"));
    for (const {kind} of this.uploading) words.push(UPLOADING[kind]);
    this.part(".pending").replaceChildren(...words.map((word) => {
      const row = make("div", "row mine"), bubble = make("div", "bubble");
      bubble.append(make("p", "text", word));
      row.append(bubble, make("p", "time", "待发送…"));
      return row;
    }));
    const empty = this.loaded && !this.messages.size && !words.length;
    this.part(".hello").hidden = !empty;
    this.part(".hello p").textContent = this.phone.kind === "group" ? "群里还没有消息。" : "还没有消息。先打个招呼：";
    this.part(".hello button").hidden = this.phone.kind === "group";
    if (words.length && this.following) this.toEnd();
  }
}
