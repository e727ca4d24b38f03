// Choose files, upload one after another, poll until they are judged, show a verdict. All server output is inserted as text.
"use strict";

const POLL = 400; // milliseconds between two requests
const BUSY = 2000; // milliseconds until a file is sent again that the server had no place for
const TRIES = 3; // uploads without an answer, as of a server that closes the connection since it is busy
const MISSES = 10; // requests without an answer, after which a file is given up
const MOST = 100; // files at a time: the server keeps the results of 200
const WORDS = { fake: "Probably fake", real: "Probably real", undecided: "Undecided" };
const MEDIA = /\.(mkv|flv|wmv|mts|m2ts|mxf|ogv|y4m|tiff?|bmp)$/i; // of a folder, besides what the browser knows as video or image
const LOST = "Cannot reach the server, or the connection was closed. Is it still running?";
const at = (id) => document.getElementById(id);
const count = (number) => number.toLocaleString("en");
const files = (number) => `${count(number)} file${number === 1 ? "" : "s"}`;
const percent = (share) => `${100 * share}%`;
const pause = (time) => new Promise((after) => setTimeout(after, time));
const tasks = []; // {name, file, id, state, verdict, request, item}; state: queued, sent, done, failed, gone
let shown = null; // the task whose verdict is shown
let sending = false;
let following = false;
let pasted = 0;

// the list of files

function add(name, file = null, id = null) {
  const item = at("row").content.cloneNode(true).firstElementChild;
  const task = { name, file, id, state: id ? "sent" : "queued", item, missed: 0 };
  tasks.push(task);
  item.querySelector(".remove").addEventListener("click", () => remove(task));
  item.querySelector(".show").addEventListener("click", () => show(task, true));
  at("files").append(item);
  call(task, name);
  stage(task, id ? "Checking" : "Waiting to be sent");
  return task;
}

function call(task, name) {
  task.name = name;
  task.item.querySelector(".name").textContent = name;
  task.item.querySelector("progress").setAttribute("aria-label", `Progress of ${name}`);
  task.item.querySelector(".show").setAttribute("aria-label", `Show ${name}`);
  const ended = task.state === "done" || task.state === "failed";
  task.item.querySelector(".remove").textContent = ended ? "Remove" : "Cancel";
  task.item.querySelector(".remove").setAttribute("aria-label", `${ended ? "Remove" : "Cancel"} ${name}`);
}

function stage(task, words, done = 0, total = 0) {
  const [text, bar] = [task.item.querySelector(".stage"), task.item.querySelector("progress")];
  if (text.textContent !== words) text.textContent = words;
  bar.hidden = task.state === "done" || task.state === "failed";
  if (total) Object.assign(bar, { max: total, value: Math.min(done, total) });
  else if (task.state === "queued") Object.assign(bar, { max: 1, value: 0 });
  else bar.removeAttribute("value");
}

function end(task, state, words) {
  if (task.state === "gone") return;
  task.state = state;
  task.file = task.request = null;
  task.item.classList.add(state === "done" ? task.verdict.verdict : "problem");
  call(task, task.name);
  stage(task, words);
  sum();
}

function sum() {
  const ended = tasks.filter((task) => task.state === "done" || task.state === "failed");
  const calls = ended.map((task) => (task.state === "done" ? task.verdict.verdict : "failed"));
  const parts = ["fake", "real", "undecided", "failed"].map((call) => [calls.filter((one) => one === call).length, call]);
  const words = parts.filter(([number]) => number).map(([number, call]) => `${count(number)} ${call}`).join(", ");
  at("counts").textContent = `${count(ended.length)} of ${count(tasks.length)} judged${words ? `: ${words}` : ""}`;
  at("queue").hidden = !tasks.length;
  document.body.classList.toggle("busy", tasks.length > 0);
  const ids = tasks.map((task) => task.id).filter(Boolean).join(",");
  history.replaceState(null, "", ids ? `#${ids}` : location.pathname); // survives a reload
}

function remove(task) {
  const place = tasks.indexOf(task);
  task.state = "gone";
  task.request?.abort();
  if (task.id) fetch(`jobs/${encodeURIComponent(task.id)}`, { method: "DELETE" }).catch(() => {});
  tasks.splice(place, 1);
  task.item.remove();
  if (shown === task) hide();
  sum();
  (tasks[Math.min(place, tasks.length - 1)]?.item.querySelector(".remove") ?? at("file")).focus();
}

// upload and wait

function take(chosen, leftOut = []) {
  const room = Math.max(0, MOST - tasks.length);
  const most = Number(document.body.dataset.most);
  for (const file of chosen.slice(0, room)) {
    const task = add(file.webkitRelativePath || file.name, file);
    if (file.size > most * 1e6) end(task, "failed", `File too large: ${count(Math.ceil(file.size / 1e6))} MB; the limit is ${count(most)} MB.`);
  }
  const why = [];
  if (leftOut.length) why.push(`${files(leftOut.length)} that ${leftOut.length === 1 ? "is no video or image" : "are no videos or images"}, such as ${leftOut[0].name}`);
  if (chosen.length > room) why.push(`${files(chosen.length - room)} more than ${MOST}: remove some that are judged, and add them again`);
  at("left-out").textContent = `Left out: ${why.join("; ")}.`;
  at("left-out").hidden = !why.length;
  sum();
  send();
}

async function send() {
  if (sending) return;
  sending = true;
  for (let task; (task = tasks.find((one) => one.state === "queued")); ) {
    if (tasks.filter((one) => one.state === "sent").length >= Number(document.body.dataset.places)) {
      await pause(POLL);
      continue;
    }
    const answer = await upload(task);
    if (task.state === "gone") continue;
    if (answer.status === 503 || (!answer.status && (task.missed += 1) <= TRIES)) {
      stage(task, "Waiting for a place on the server");
      await pause(BUSY);
    } else if (answer.status === 201) {
      Object.assign(task, { id: answer.response.id, state: "sent", missed: 0, file: null, request: null });
      sum();
      follow();
    } else end(task, "failed", answer.status ? (answer.response?.error ?? `The server answered ${answer.status}.`) : LOST);
  }
  sending = false;
}

function upload(task) {
  return new Promise((after) => {
    const request = (task.request = new XMLHttpRequest()); // fetch has no upload progress
    request.upload.onprogress = (event) => stage(task, "Uploading", event.loaded, event.total);
    request.upload.onload = () => stage(task, "Checking");
    request.onloadend = () => after(request);
    request.open("POST", `jobs?name=${encodeURIComponent(task.file.name)}`);
    request.responseType = "json";
    request.setRequestHeader("Content-Type", "application/octet-stream");
    stage(task, "Uploading", 0, 1);
    request.send(task.file);
  });
}

async function follow() {
  if (following) return;
  following = true;
  for (let open; (open = tasks.filter((task) => task.state === "sent")).length; await pause(POLL)) {
    for (const task of open) await ask(task);
  }
  following = false;
}

async function ask(task) {
  try {
    const answer = await fetch(`jobs/${encodeURIComponent(task.id)}`);
    const job = await answer.json();
    if (task.state !== "sent") return;
    task.missed = 0;
    if (job.name && !task.name.endsWith(job.name)) call(task, job.name);
    if (!answer.ok || job.state === "failed") end(task, "failed", job.error);
    else if (job.state === "done") finish(task, job.verdict);
    else if (job.state === "judging") stage(task, job.done ? `Judging faces: ${frames(job)}` : "Judging faces", job.done, job.total);
    else stage(task, job.before ? `In the queue: ${files(job.before)} ahead` : "In the queue: next");
  } catch {
    task.missed += 1;
    if (task.missed > MISSES) end(task, "failed", LOST);
  }
}

function frames(job) {
  return job.total ? `${count(Math.min(job.done, job.total))} of ${count(job.total)} frames` : `${count(job.done)} frames`;
}

function finish(task, verdict) {
  task.verdict = verdict;
  end(task, "done", `${WORDS[verdict.verdict]}${verdict.score === null ? "" : `, ${verdict.score.toFixed(3)}`}`);
  task.item.querySelector(".show").hidden = false;
  if (!shown) show(task, tasks.length === 1);
}

// the verdict of one file

function hide() {
  shown = null;
  at("done").hidden = true;
  at("report").removeAttribute("src");
}

function show(task, focus) {
  const verdict = task.verdict;
  shown = task;
  for (const button of document.querySelectorAll(".show")) button.setAttribute("aria-pressed", String(task.item.contains(button)));
  document.querySelector(".verdict").className = `panel verdict ${verdict.verdict}`;
  document.querySelector("#done .name").textContent = task.name;
  at("verdict").textContent = WORDS[verdict.verdict];
  const scored = verdict.score !== null;
  at("scale").hidden = !scored;
  if (scored) draw(verdict);
  at("figures").textContent = scored ? figures(verdict) : `Cannot judge: ${verdict.reason}.`;
  at("notes").replaceChildren(...verdict.notes.map((note) => Object.assign(document.createElement("li"), { textContent: note })));
  at("notes").hidden = !verdict.notes.length;
  at("save").href = `jobs/${task.id}/report?download`;
  at("report").src = `jobs/${task.id}/report`;
  at("done").hidden = false;
  if (focus) at("verdict").focus();
}

function figures(verdict) {
  const ends = verdict.low === null ? "" : ` (95 % interval over frames: ${verdict.low.toFixed(3)}–${verdict.high.toFixed(3)})`;
  const judged = verdict.frames > 1 ? ` ${count(verdict.frames)} frames, judged in ${verdict.seconds.toFixed(1)} s.` : "";
  const name = verdict.probability === null ? "Score" : "Probability of fake";
  const between = verdict.real_below < verdict.threshold ? `, real below ${verdict.real_below.toFixed(3)}, undecided between` : "";
  return `${name}: ${verdict.score.toFixed(3)}${ends}. Fake at or above ${verdict.threshold.toFixed(3)}${between}.${judged}`;
}

function draw(verdict) {
  const [low, high] = [verdict.low ?? verdict.score, verdict.high ?? verdict.score];
  at("dot").setAttribute("cx", percent(verdict.score));
  at("range").setAttribute("x", percent(low));
  at("range").setAttribute("width", percent(high - low));
  at("between").setAttribute("x", percent(verdict.real_below));
  at("between").setAttribute("width", percent(verdict.threshold - verdict.real_below));
  for (const side of ["x1", "x2"]) at("limit").setAttribute(side, percent(verdict.threshold));
}

function fit() {
  const inside = at("report").contentDocument?.documentElement;
  if (!inside) return;
  new ResizeObserver(() => { at("report").style.height = `${inside.offsetHeight + 2}px`; }).observe(inside);
}

at("report").addEventListener("load", fit);
at("clear").addEventListener("click", () => [...tasks].forEach(remove));
for (const id of location.hash.slice(1).split(",").filter(Boolean)) add("file", null, id);
at("choose").hidden = false;
sum();
follow();
