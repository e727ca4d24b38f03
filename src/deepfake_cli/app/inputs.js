// Where files come from: the two buttons, a drop, the clipboard. Each is given to `take` of app.js.
"use strict";

const isMedia = (file) => /^(video|image)\//.test(file.type) || MEDIA.test(file.name);
const byPath = (a, b) => (a.webkitRelativePath || a.name).localeCompare(b.webkitRelativePath || b.name, "en", { numeric: true });

function takeFolder(found) {
  const visible = found.filter((file) => !file.name.startsWith(".")).sort(byPath); // such as .DS_Store
  take(visible.filter(isMedia), visible.filter((file) => !isMedia(file)));
}

async function takeDropped(items) {
  const entries = [...items].map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile()).filter(Boolean); // before the first await
  const alone = await Promise.all(entries.filter((entry) => !entry.isDirectory).map(toFile));
  const inside = (await Promise.all(entries.filter((entry) => entry.isDirectory).map(inFolder))).flat();
  if (inside.length || alone.length < entries.length) takeFolder([...alone, ...inside]);
  else take(alone);
}

function toFile(entry) {
  return entry instanceof File ? entry : new Promise((done, fail) => entry.file(done, fail));
}

async function inFolder(folder) {
  const reader = folder.createReader();
  const found = [];
  for (let some; (some = await new Promise((done, fail) => reader.readEntries(done, fail))).length; ) found.push(...some); // 100 at a time
  return (await Promise.all(found.map((entry) => (entry.isDirectory ? inFolder(entry) : toFile(entry))))).flat();
}

function named(file) {
  if (file.name !== "image.png") return file;
  pasted += 1; // browsers give all pasted images this name
  return new File([file], `pasted image ${pasted}.png`, { type: file.type });
}

at("file").addEventListener("change", () => {
  take([...at("file").files]);
  at("file").value = ""; // so that the same file can be chosen again
});
at("folder").addEventListener("change", () => {
  takeFolder([...at("folder").files]);
  at("folder").value = "";
});
at("whole").hidden = !("webkitdirectory" in at("folder"));
for (const kind of ["dragover", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault(); // a file dropped elsewhere must not replace the page
    at("drop").classList.toggle("over", kind === "dragover");
    if (kind === "drop") takeDropped(event.dataTransfer.items);
  });
}
document.addEventListener("dragleave", (event) => event.relatedTarget || at("drop").classList.remove("over"));
document.addEventListener("paste", (event) => event.clipboardData.files.length && take([...event.clipboardData.files].map(named)));
