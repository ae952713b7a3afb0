// The scanner test page: what arrived, key by key, and what the terminal makes of it. Nothing is checked or sent on.
"use strict";

const MOST_ROWS = 400, BATCH_MS = 30, AGAIN_MS = 1000;
const at = id => document.getElementById(id);
let english = false, strokes = [], sending = 0, last = 0, number = 0, socket = null, result = null;

function hex(text) {
  return [...text].map(c => "U+" + c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")).join(" ");
}

function row(text, code, shift, gap) {
  const line = document.createElement("tr");
  for (const cell of [++number, text || "–", text ? hex(text) : "", code, shift ? "⇧" : "", gap]) {
    line.appendChild(document.createElement("td")).textContent = cell;
  }
  if (text && text > "\u007e") line.className = "odd";
  at("keys").prepend(line);
  if (at("keys").rows.length > MOST_ROWS) at("keys").deleteRow(-1);
}

function key(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.key === "Shift" || event.key === "CapsLock") return;
  const text = event.key.length === 1 ? event.key : "", now = event.timeStamp;
  if (event.key === "Tab" && !(now - last < 200)) return; // somebody goes on to the buttons
  if (event.key === "Tab") event.preventDefault();
  row(text, event.code, event.shiftKey, last ? Math.round(now - last) : "");
  strokes.push([text, now / 1000, event.code, event.shiftKey]);
  last = now;
  clearTimeout(sending);
  sending = setTimeout(send, BATCH_MS);
}

// What an input method committed: it is no key of its own.
function composed(event) {
  row(event.data || "", "IME", false, "");
}

function send() {
  if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ strokes }));
  strokes = [];
}

function draw() {
  if (!result) return;
  const good = Boolean(result.payload), clean = good && !result.repairs.length && result.suffix;
  at("result").hidden = false;
  at("result").dataset.verdict = clean ? "accepted" : good ? "repaired" : "refused";
  at("word").textContent = english ? (clean ? "Read, nothing repaired" : good ? "Read, after repairs" : "Not read: " + result.en)
                                   : (clean ? "读取正确，无需修复" : good ? "已读取（经过修复）" : "未能读取：" + result.zh);
  const suffix = result.suffix || (english ? "none" : "无"), rate = Math.round(1000 * result.seconds);
  const repairs = result.repairs.join(", ") || (english ? "none" : "无");
  at("facts").textContent = english ? `${result.raw.length} characters in ${rate} ms · suffix ${suffix} · repairs: ${repairs}`
                                    : `${result.raw.length} 个字符，${rate} ms · 后缀 ${suffix} · 修复：${repairs}`;
  at("advice").replaceChildren(...result.advice.map(pair => {
    const line = document.createElement("li");
    line.textContent = pair[english ? 1 : 0];
    return line;
  }));
}

async function heard(message) {
  const event = JSON.parse(typeof message.data === "string" ? message.data : await message.data.text());
  if (event.event !== "typed") return;
  result = event;
  draw();
  at("field").value = "";
}

function connect() {
  socket = new WebSocket((location.protocol === "https:" ? "wss://" : "ws://") + location.host + "/api/events?test");
  socket.onmessage = heard;
  socket.onclose = () => setTimeout(connect, AGAIN_MS);
}

at("language").addEventListener("click", () => {
  english = !english;
  document.documentElement.lang = english ? "en" : "zh-CN";
  document.title = english ? "Scanner test" : "扫码枪测试";
  draw();
  at("field").focus();
});
at("field").addEventListener("keydown", key);
at("field").addEventListener("compositionend", composed);
at("field").focus();
connect();
