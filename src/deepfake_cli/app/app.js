// Choose a file, upload it, poll until it is judged, show the verdict. All server output is inserted as text.
"use strict";

const POLL = 400; // milliseconds between two requests
const PARTS = ["choose", "working", "failed", "done"];
const WORDS = { fake: "Probably fake", real: "Probably real", undecided: "Undecided" };
const at = (id) => document.getElementById(id);
const count = (number) => number.toLocaleString("en");
const percent = (share) => `${100 * share}%`;
let current = null; // {request} during upload, then {id}; null when idle

function show(part) {
  for (const id of PARTS) at(id).hidden = id !== part;
}

function call(name) {
  for (const place of document.querySelectorAll(".name")) place.textContent = name;
}

function stage(words, done = 0, total = 0, detail = "") {
  if (at("stage").textContent !== words) at("stage").textContent = words; // announce once to screen readers
  if (total) Object.assign(at("bar"), { max: total, value: Math.min(done, total) });
  else at("bar").removeAttribute("value");
  at("count").textContent = detail;
}

function fail(words) {
  current = null;
  history.replaceState(null, "", location.pathname);
  at("problem").textContent = words;
  show("failed");
  at("problem-h").focus();
}

function send(file) {
  if (current || !file) return;
  call(file.name);
  const most = Number(document.body.dataset.most);
  if (file.size > most * 1e6) return fail(`File too large: ${count(Math.ceil(file.size / 1e6))} MB; the limit is ${count(most)} MB.`);
  const request = new XMLHttpRequest(); // fetch has no upload progress
  const mine = (current = { request });
  request.upload.onprogress = (event) =>
    stage("Uploading", event.loaded, event.total, `${count(Math.round((100 * event.loaded) / event.total))} %`);
  request.upload.onload = () => stage("Checking the file");
  request.onload = () => {
    if (current !== mine) return;
    if (request.status === 201) follow(request.response.id);
    else fail(request.response?.error ?? `The server answered ${request.status}.`);
  };
  request.onerror = () => current === mine && fail("Cannot reach the server, or the connection was closed. Is it still running?");
  request.open("POST", `jobs?name=${encodeURIComponent(file.name)}`);
  request.responseType = "json";
  request.setRequestHeader("Content-Type", "application/octet-stream");
  stage("Uploading");
  show("working");
  at("cancel").focus();
  request.send(file);
}

async function follow(id) {
  const mine = (current = { id });
  history.replaceState(null, "", `#${id}`); // survives a reload
  let missed = 0;
  while (current === mine) {
    try {
      const answer = await fetch(`jobs/${encodeURIComponent(id)}`);
      const job = await answer.json();
      if (current !== mine) return;
      missed = 0;
      if (!answer.ok || job.state === "failed") return fail(job.error);
      call(job.name);
      if (job.state === "done") return finish(id, job.verdict);
      progress(job);
    } catch {
      missed += 1;
      if (missed > 10 && current === mine) return fail("Cannot reach the server. Is it still running?");
    }
    await new Promise((after) => setTimeout(after, POLL));
  }
}

function progress(job) {
  show("working");
  if (job.state === "judging") {
    const frames = job.total ? `${count(Math.min(job.done, job.total))} of ${count(job.total)} frames` : `${count(job.done)} frames`;
    return stage("Judging faces", job.done, job.total, job.done ? frames : "");
  }
  const files = `${count(job.before)} file${job.before === 1 ? "" : "s"} ahead of yours`;
  return stage("Waiting in the queue", 0, 0, job.before ? files : "Yours is next");
}

function finish(id, verdict) {
  current = null;
  document.querySelector(".verdict").className = `panel verdict ${verdict.verdict}`;
  at("verdict").textContent = WORDS[verdict.verdict];
  const scored = verdict.score !== null;
  at("scale").hidden = !scored;
  if (scored) draw(verdict);
  at("figures").textContent = scored ? figures(verdict) : `Cannot judge: ${verdict.reason}.`;
  at("notes").replaceChildren(...verdict.notes.map((note) => Object.assign(document.createElement("li"), { textContent: note })));
  at("notes").hidden = !verdict.notes.length;
  at("save").href = `jobs/${id}/report?download`;
  at("report").src = `jobs/${id}/report`;
  show("done");
  at("verdict").focus();
}

function figures(verdict) {
  const ends = verdict.low === null ? "" : ` (95 % interval over frames: ${verdict.low.toFixed(3)}–${verdict.high.toFixed(3)})`;
  const frames = verdict.frames > 1 ? ` ${count(verdict.frames)} frames, judged in ${verdict.seconds.toFixed(1)} s.` : "";
  const name = verdict.probability === null ? "Score" : "Probability of fake";
  const between = verdict.real_below < verdict.threshold ? `, real below ${verdict.real_below.toFixed(3)}, undecided between` : "";
  return `${name}: ${verdict.score.toFixed(3)}${ends}. Fake at or above ${verdict.threshold.toFixed(3)}${between}.${frames}`;
}

function draw(verdict) {
  const low = verdict.low ?? verdict.score;
  const high = verdict.high ?? verdict.score;
  at("dot").setAttribute("cx", percent(verdict.score));
  at("range").setAttribute("x", percent(low));
  at("range").setAttribute("width", percent(high - low));
  at("limit").setAttribute("x1", percent(verdict.threshold));
  at("limit").setAttribute("x2", percent(verdict.threshold));
}

function again() {
  const left = current;
  const id = left?.id ?? location.hash.slice(1);
  current = null;
  left?.request?.abort();
  if (id) fetch(`jobs/${encodeURIComponent(id)}`, { method: "DELETE" }).catch(() => {});
  history.replaceState(null, "", location.pathname);
  at("report").removeAttribute("src");
  at("file").value = "";
  show("choose");
  at("file").focus();
}

function fit() {
  const inside = at("report").contentDocument?.documentElement;
  if (!inside) return;
  new ResizeObserver(() => { at("report").style.height = `${inside.offsetHeight + 2}px`; }).observe(inside);
}

at("file").addEventListener("change", (event) => send(event.target.files[0]));
at("cancel").addEventListener("click", again);
at("report").addEventListener("load", fit);
for (const button of document.querySelectorAll(".again")) button.addEventListener("click", again);
for (const kind of ["dragover", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault(); // a file dropped elsewhere must not replace the page
    at("drop").classList.toggle("over", kind === "dragover" && !at("choose").hidden);
    if (kind === "drop" && !at("choose").hidden) send(event.dataTransfer.files[0]);
  });
}
document.addEventListener("dragleave", (event) => event.relatedTarget || at("drop").classList.remove("over"));
document.addEventListener("paste", (event) => at("choose").hidden || send(event.clipboardData.files[0]));

if (location.hash.length > 1) follow(location.hash.slice(1));
else show("choose");
