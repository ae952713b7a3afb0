// The window's page: shows events as they come, sends what a scanner types. Nothing is kept: a verdict goes after
// SHOWN_MS, when the next code is read, and when the terminal cannot be heard.
"use strict";

const SHOWN_MS = 8000, SEEN_MS = 600, AGAIN_MS = 1000, BATCH_MS = 30;
const WORDS = {
  idle: ["请出示电子健康卡", "Show the health card"],
  checking: ["正在验证…", "Checking…"],
  accepted: ["验证通过", "Accepted"],
  refused: ["未通过", "Refused"],
  unanswered: ["未能验证", "Not checked"],
  read: ["已读取", "Read"],
  foreign: ["不是健康卡", "Not a health card"],
  several: ["请逐个出示", "One at a time"],
  lost: ["终端未连接", "Terminal not connected"],
};
const MARKS = { accepted: "✓", refused: "✕", unanswered: "!", foreign: "!", several: "!", read: "✓", lost: "!" };
const MORE = { offline: ["离线验证，稍后上传", "Checked without network; sent later"], beside: ["画面中还有", "Beside it"], until: ["有效至", "Valid until"], repaired: ["扫码枪设置需检查", "Test the scanner's settings"] };
const WHAT = { health_card: ["健康卡", "a health card"], insurance: ["医保电子凭证", "an insurance code"], wechat_pay: ["微信付款码", "a WeChat payment code"], alipay: ["支付宝付款码", "an Alipay payment code"], unionpay: ["银联付款码", "a UnionPay payment code"], resident_id: ["身份证号", "an id number"], url: ["网址", "a web address"] };

const LIST = { held: ["离线名单 ", "Offline list"], missing: ["尚无离线名单", "No offline list yet"], over: ["离线名单已失效 ", "Offline list is over,"] };

const at = id => document.getElementById(id);
let english = false, shown = { verdict: "idle" }, hide = 0, fade = 0, sound = null, loud = false, socket = null;
const say = pair => pair[english ? 1 : 0];

function show(verdict) {
  clearTimeout(hide);
  shown = verdict;
  draw();
  if (verdict.verdict !== "idle" && verdict.verdict !== "lost") hide = setTimeout(() => show({ verdict: "idle" }), SHOWN_MS);
}

function draw() {
  const given = shown.verdict;
  at("verdict").dataset.verdict = given === "lost" ? "unanswered" : given;
  at("mark").textContent = MARKS[given] || "";
  at("word").textContent = say(WORDS[given]);
  at("name").textContent = shown.name || "";
  const plain = given === "accepted" || given === "idle" || given === "checking" || given === "lost";
  at("sentence").textContent = plain ? "" : english ? shown.en : shown.zh;
  at("more").textContent = more().join(" · ");
}

function more() {
  const lines = [];
  if (shown.offline) lines.push(say(MORE.offline));
  if (shown.verdict === "accepted" && shown.expires_at) lines.push(say(MORE.until) + " " + new Date(shown.expires_at).toLocaleTimeString("zh-CN", { hour12: false }));
  if (shown.beside && shown.beside.length) lines.push(say(MORE.beside) + " " + shown.beside.map(one => WHAT[one] ? say(WHAT[one]) : one).join(", "));
  if (shown.repairs && shown.repairs.length) lines.push(say(MORE.repaired));
  return lines;
}

// --- sound: two notes up, two down, one flat
function beep(verdict) {
  if (!sound || sound.state !== "running") return;
  const notes = { accepted: [880, 1320], refused: [330, 220] }[verdict] || [440];
  notes.forEach((pitch, i) => {
    const start = sound.currentTime + i * 0.14, tone = sound.createOscillator(), level = sound.createGain();
    tone.frequency.value = pitch;
    level.gain.setValueAtTime(0.25, start);
    level.gain.exponentialRampToValueAtTime(0.001, start + 0.13);
    tone.connect(level).connect(sound.destination);
    tone.start(start);
    tone.stop(start + 0.13);
  });
}

async function toggleSound() {
  loud = !loud;
  at("sound").setAttribute("aria-pressed", String(loud));
  if (!sound) sound = new AudioContext();
  await (loud ? sound.resume() : sound.suspend());
  beep("accepted");
}

// --- how things stand
function status(event) {
  at("scene").textContent = event.scene;
  at("source").dataset.state = event.state;
  at("service").dataset.state = event.service;
  document.querySelector("main").classList.toggle("alone", event.state === "none");
  at("says").textContent = event.state === "gone" ? (english ? "No picture, trying again: " : "无画面，正在重试：") + event.says : "";
  const live = at("live");
  if (event.state === "watching" && live.hidden) { live.src = "/live?" + Date.now(); live.hidden = false; }
  if (event.state !== "watching" && !live.hidden) { live.removeAttribute("src"); live.hidden = true; }
  chip("clock", event.clock !== 0, (english ? "Clock off by " : "本机时钟偏差 ") + event.clock + " s");
  chip("waiting", event.waiting > 0, (english ? "To be sent: " : "待上传 ") + event.waiting);
  chip("list", event.list !== "none", say(LIST[event.list] || LIST.held) + age(event.list_age), event.list !== "held");
}

function age(seconds) {
  if (seconds === null || seconds === undefined) return "";
  const [count, zh, en] = seconds < 5400 ? [seconds / 60, "分钟", "min"] : seconds < 172800 ? [seconds / 3600, "小时", "h"] : [seconds / 86400, "天", "d"];
  return english ? ` ${Math.round(count)} ${en} old` : `${Math.round(count)} ${zh}前`;
}

function chip(id, there, text, alarm = true) {
  at(id).hidden = !there;
  at(id).classList.toggle("alarm", alarm);
  at(id).textContent = text;
}

function seen(event) {
  const live = at("live"), box = at("outline"), frame = at("picture");
  if (!live.naturalWidth) return;
  const scale = Math.min(frame.clientWidth / live.naturalWidth, frame.clientHeight / live.naturalHeight);
  const width = live.naturalWidth * scale, height = live.naturalHeight * scale;
  box.style.width = width + "px";
  box.style.height = height + "px";
  box.style.left = (frame.clientWidth - width) / 2 + "px";
  box.style.top = (frame.clientHeight - height) / 2 + "px";
  at("corners").setAttribute("points", event.corners.map(point => point.join(",")).join(" "));
  clearTimeout(fade);
  fade = setTimeout(() => at("corners").setAttribute("points", ""), SEEN_MS);
}

function heard(event) {
  if (event.event === "status") { status(event); latest = event; }
  if (event.event === "seen") seen(event);
  if (event.event === "checking") show({ verdict: "checking", number: event.number });
  if (event.event === "verdict" && !(event.number < shown.number)) { show(event); beep(event.verdict); }
}

let latest = null;
function connect() {
  socket = new WebSocket((location.protocol === "https:" ? "wss://" : "ws://") + location.host + "/api/events");
  socket.onopen = () => show({ verdict: "idle" });
  socket.onmessage = async message => heard(JSON.parse(typeof message.data === "string" ? message.data : await message.data.text()));
  socket.onclose = () => { show({ verdict: "lost" }); at("service").dataset.state = "unknown"; setTimeout(connect, AGAIN_MS); };
}

// --- a scanner that types: every key, with its time and its place on the keyboard
let strokes = [], sending = 0;
function key(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  const text = event.key.length === 1 ? event.key : "", ends = event.key === "Enter" || event.key === "Tab";
  const typing = strokes.length > 0 || event.timeStamp - key.last < 100;
  if (!text && !ends && !/^(Key|Digit|Numpad|Semicolon|Period|Slash|Minus)/.test(event.code)) return;
  if (text || (ends && typing)) event.preventDefault();
  if (ends && !typing) return; // somebody works with the buttons
  key.last = event.timeStamp; // when the key was pressed, however busy the page was
  strokes.push([text, key.last / 1000, event.code, event.shiftKey]);
  clearTimeout(sending);
  sending = setTimeout(send, BATCH_MS);
}
key.last = -1000;

function send() {
  if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ strokes }));
  strokes = [];
}

at("language").addEventListener("click", () => {
  english = !english;
  document.documentElement.lang = english ? "en" : "zh-CN";
  document.title = english ? "Health card reader" : "识读终端";
  draw();
  if (latest) status(latest);
  at("language").blur();
});
at("sound").addEventListener("click", () => { toggleSound(); at("sound").blur(); });
addEventListener("keydown", key);
draw();
connect();
