"use strict";

const get = (id) => document.getElementById(id);
const picture = get("picture").getContext("2d");
const hole = get("hole").getContext("2d", { willReadFrequently: true });
const easel = get("easel");
const size = { width: 0, height: 0 };
const cursor = { x: 0, y: 0 };
let options; // of the profile, from the server
let own = false; // whether the picture was uploaded, so that a square is chosen
let face = null; // the square of a face that was found, and its corners
let pictures = 0; // how many were shown so far
let running = null; // stops the request in progress

async function start() {
  options = await (await ask("/options")).json();
  get("profile").textContent = options.profile;
  get("install-command").textContent = options.install;
  get("find-line").hidden = !options.detector;
  get("install").hidden = options.detector;
  for (const { name, title } of options.datasets) get("dataset").append(new Option(title, name));
  get("dataset-field").hidden = options.datasets.length < 2;
  await showDataset();
}

function dataset() {
  return options.datasets.find(({ name }) => name === get("dataset").value);
}

async function showDataset() {
  const { name, title, rendered, faces, no_faces, untrained } = dataset();
  const notes = [];
  if (rendered) notes.push("Trained on computer-drawn faces: it cannot complete photographs.");
  if (untrained.length) notes.push(`Not trained: ${untrained.join(", ")}.`);
  if (!faces) notes.push(`No test faces: ${no_faces}.`);
  get("note").textContent = notes.join(" ");
  get("faces-field").hidden = !faces;
  get("faces").replaceChildren();
  for (let number = 0; number < faces; number += 1) {
    const button = document.createElement("button");
    const image = new Image();
    image.src = `/face?dataset=${encodeURIComponent(name)}&number=${number}`;
    image.alt = `Test face ${number + 1} of ${title}`;
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    button.append(image);
    button.addEventListener("click", () => chooseFace(button, image));
    get("faces").append(button);
  }
  const first = get("faces").querySelector("button");
  if (!own && first) await chooseFace(first, first.firstChild);
}

async function chooseFace(button, image) {
  await image.decode();
  own = false;
  get("upload").value = "";
  showPicture(image, image.naturalWidth, image.naturalHeight);
  button.setAttribute("aria-pressed", "true");
}

async function chooseUpload() {
  const [file] = get("upload").files;
  if (!file) return;
  let image;
  try {
    image = await createImageBitmap(file);
  } catch {
    return showError(`${file.name}: your browser cannot read it as a picture; choose another one`);
  }
  own = true;
  const scale = Math.min(1, options.max_side / Math.max(image.width, image.height));
  showPicture(image, Math.round(image.width * scale), Math.round(image.height * scale));
}

function showPicture(image, width, height) {
  pictures += 1;
  showError("");
  stop();
  get("results").replaceChildren();
  get("status").textContent = "";
  for (const button of get("faces").children) button.setAttribute("aria-pressed", "false");
  Object.assign(size, { width, height });
  Object.assign(cursor, { x: width / 2, y: height / 2 });
  for (const { canvas } of [picture, hole]) {
    Object.assign(canvas, size);
    canvas.className = width > 256 ? "large" : "";
  }
  picture.fillStyle = "#fff"; // below transparent parts
  picture.fillRect(0, 0, width, height);
  picture.drawImage(image, 0, 0, width, height);
  get("guides").setAttribute("viewBox", `0 0 ${width} ${height}`);
  get("square-field").hidden = !own;
  const side = Math.min(width, height);
  setSquare(side, Math.round((width - side) / 2), Math.round((height - side) / 2));
  showHole();
}

/* The square */

function setSquare(side, left, top) {
  const { width, height } = size;
  face = null;
  const longest = Math.min(width, height);
  Object.assign(get("side"), { min: Math.min(32, longest), max: longest, value: side });
  Object.assign(get("left"), { max: width - side, value: left });
  Object.assign(get("top"), { max: height - side, value: top });
  showSquare();
}

function square() {
  return Object.fromEntries(["left", "top", "side"].map((id) => [id, Number(get(id).value)]));
}

/** Corners of the square, clockwise from the top left. */
function outline() {
  if (face) return face.corners;
  const { left, top, side } = square();
  return [[left, top], [left + side, top], [left + side, top + side], [left, top + side]];
}

function showSquare() {
  for (const id of ["side", "left", "top"]) get(`${id}-value`).textContent = `${get(id).value} px`;
  get("outline").setAttribute("points", own ? outline().map((point) => point.join()).join(" ") : "");
}

async function findFace() {
  const searched = pictures;
  showError("");
  get("status").textContent = "Searching for a face …";
  try {
    const answer = await send("/find-face", { picture: encodePicture(), hole: encodeHole() });
    const found = await answer.json();
    if (pictures !== searched) return; // another picture is shown by now
    face = found;
    get("status").textContent = "A face was found. Its square is outlined in the picture.";
  } catch (error) {
    if (pictures !== searched) return;
    get("status").textContent = "";
    showError(error.message);
  }
  showSquare();
  showHole();
}

/* Requests */

async function ask(address, init) {
  let answer;
  try {
    answer = await fetch(address, init);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The program does not answer; start `mdrnets demo` again.");
  }
  if (!answer.ok) throw new Error((await answer.json()).error);
  return answer;
}

function send(address, value, signal) {
  const headers = { "Content-Type": "application/json" };
  return ask(address, { method: "POST", headers, body: JSON.stringify(value), signal });
}

function toBase64(canvas) {
  return canvas.toDataURL("image/png").split(",")[1];
}

function encodePicture() {
  return toBase64(get("picture"));
}

function holeCanvas() {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, size);
  const context = canvas.getContext("2d");
  const mask = context.createImageData(size.width, size.height);
  missing().forEach((value, index) => mask.data.set([255 * value, 255 * value, 255 * value, 255], 4 * index));
  context.putImageData(mask, 0, 0);
  return canvas;
}

function encodeHole() {
  return toBase64(holeCanvas());
}

async function* readLines(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    const lines = (text + value).split("\n");
    text = lines.pop();
    yield* lines.map((line) => JSON.parse(line));
  }
}

async function fill(event) {
  event.preventDefault();
  stop();
  showError("");
  if (!size.width) return showError("Choose a picture first.");
  const { methods } = dataset();
  const control = new AbortController();
  running = control;
  const task = {
    dataset: dataset().name,
    picture: encodePicture(),
    hole: encodeHole(),
    square: !own ? null : face ? face.square : square(),
    seed: Number(get("seed").value),
  };
  const progress = get("progress");
  Object.assign(progress, { max: methods.length, value: 0, hidden: false });
  get("stop").hidden = false;
  get("status").textContent = `${methods[0].title} computes …`;
  const part = shownPart();
  showSlots(methods, part);
  try {
    const answer = await send("/complete", task, control.signal);
    for await (const outcome of readLines(answer)) {
      if (!outcome.name) throw new Error(outcome.error);
      await showOutcome(outcome, part);
      progress.value += 1;
      const next = methods[progress.value];
      get("status").textContent = `${progress.value} of ${methods.length} done${next ? `; ${next.title} computes …` : ""}`;
    }
    if (progress.value < methods.length) throw new Error("The program was ended; start `mdrnets demo` again.");
  } catch (error) {
    if (running !== control) return;
    get("status").textContent = "";
    if (!progress.value) get("results").replaceChildren();
    showError(error.message);
  }
  if (running === control) end();
}

function stop() {
  if (!running) return;
  const control = running;
  end();
  control.abort();
  get("status").textContent = "Stopped.";
}

function end() {
  running = null;
  get("stop").hidden = true;
  get("progress").hidden = true;
}

/* Results */

/** What is shown of the picture: the square, as far as it is in the picture. */
function shownPart() {
  const [x, y] = [0, 1].map((axis) => outline().map((point) => point[axis]));
  const [left, top] = [Math.max(0, Math.floor(Math.min(...x))), Math.max(0, Math.floor(Math.min(...y)))];
  const width = Math.min(size.width, Math.ceil(Math.max(...x))) - left;
  return { left, top, width, height: Math.min(size.height, Math.ceil(Math.max(...y))) - top };
}

function cut(image, { left, top, width, height }) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  canvas.getContext("2d").drawImage(image, -left, -top);
  return canvas.toDataURL();
}

function showSlots(methods, part) {
  const masked = holeCanvas().getContext("2d");
  masked.globalCompositeOperation = "lighten"; // white where the hole is
  masked.drawImage(get("picture"), 0, 0);
  const shown = [["Picture", get("picture")], ["With its hole", masked.canvas]];
  get("results").replaceChildren(
    ...shown.map(([title, canvas]) => figure({ title, part, image: cut(canvas, part), alt: title })),
    ...methods.map(({ name, title }) => figure({ name, title, part, text: "waiting …" })),
  );
}

async function showOutcome({ name, title, picture: whole, error }, part) {
  const slot = [...get("results").children].find(({ dataset: { name: found } }) => found === name);
  if (error) return slot.replaceWith(figure({ name, title, part, text: error, failed: true }));
  const completed = new Image();
  completed.src = whole;
  await completed.decode();
  const image = cut(completed, part);
  slot.replaceWith(figure({ name, title, part, image, whole, alt: `Completed by ${title}` }));
}

/** A picture with its caption, or a text in its place. */
function figure({ name, title, part, image, whole, alt, text, failed }) {
  const item = document.createElement("li");
  const box = document.createElement("figure");
  const caption = document.createElement("figcaption");
  caption.textContent = title;
  if (image) {
    const shown = new Image();
    Object.assign(shown, { src: image, alt, className: get("picture").className });
    box.append(shown);
  } else {
    const place = document.createElement("div");
    Object.assign(place, { className: failed ? "waiting failed" : "waiting", textContent: text });
    place.style.aspectRatio = `${part.width} / ${part.height}`;
    box.append(place);
  }
  if (name) {
    item.dataset.name = name;
    const code = document.createElement("code");
    code.textContent = name;
    caption.append(" ", code);
  }
  if (whole) {
    const link = document.createElement("a");
    Object.assign(link, { href: whole, download: `${name}.png`, textContent: "Save" });
    link.setAttribute("aria-label", `Save the completion of ${title}`);
    caption.append(" ", link);
  }
  box.append(caption);
  item.append(box);
  return item;
}

function showError(sentence) {
  get("error").textContent = sentence;
}

for (const name of ["pointerdown", "pointermove", "pointerup"]) easel.addEventListener(name, onPointer);
easel.addEventListener("keydown", onKey);
get("brush").addEventListener("input", showCursor);
get("clear").addEventListener("click", clearHole);
get("find").addEventListener("click", findFace);
get("stop").addEventListener("click", stop);
get("upload").addEventListener("change", chooseUpload);
get("dataset").addEventListener("change", showDataset);
get("form").addEventListener("submit", fill);
for (const button of document.querySelectorAll("[data-hole]")) button.addEventListener("click", () => addPart(button.dataset.hole));
for (const id of ["side", "left", "top"]) {
  get(id).addEventListener("input", () => {
    const { side, left, top } = square();
    setSquare(side, Math.min(left, size.width - side), Math.min(top, size.height - side));
    showHole();
  });
}
start().catch((error) => showError(error.message));
