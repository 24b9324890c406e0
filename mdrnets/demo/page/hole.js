"use strict";

// The hole: the brush that paints it, the parts of a face that it can cover, and its share.
// The canvas and what is shown on it are in page.js.

function radius() {
  return (Math.min(size.width, size.height) * Number(get("brush").value)) / 200;
}

function paint(x, y) {
  hole.globalCompositeOperation = new FormData(get("form")).get("mode") === "erase" ? "destination-out" : "source-over";
  hole.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--hole");
  hole.lineWidth = 2 * radius();
  hole.lineCap = "round";
  hole.beginPath();
  hole.moveTo(cursor.x, cursor.y);
  hole.lineTo(x + 0.001, y); // a point is a line, too
  hole.stroke();
}

function moveCursor(x, y) {
  cursor.x = Math.min(Math.max(x, 0), size.width);
  cursor.y = Math.min(Math.max(y, 0), size.height);
  showCursor();
}

function showCursor() {
  const circle = get("cursor");
  for (const [name, value] of [["cx", cursor.x], ["cy", cursor.y], ["r", radius()]]) circle.setAttribute(name, value);
  get("brush-value").textContent = `${get("brush").value} %`;
}

/** Which pixels are missing. */
function missing() {
  const { data } = hole.getImageData(0, 0, size.width, size.height);
  return Uint8Array.from({ length: data.length / 4 }, (_, index) => data[4 * index + 3] >= 128);
}

function showHole() {
  if (!size.width) return; // there is no picture
  showCursor();
  const count = missing().reduce((sum, value) => sum + value, 0);
  const [[x0, y0], [x1, y1]] = outline();
  const share = (100 * count) / ((x1 - x0) ** 2 + (y1 - y0) ** 2);
  get("share").textContent = count ? `The hole has ${share.toFixed(1)} % of the square.` : "There is no hole yet.";
}

const PARTS = { // in the square of an aligned face: left, top, width, height
  eyes: [0.22, 0.4, 0.56, 0.16],
  mouth: [0.32, 0.65, 0.36, 0.2],
  half: [0.1, 0.1, 0.4, 0.8],
};

function addPart(name) {
  const [[x, y], [right, rightY], , [below, belowY]] = outline();
  const [left, top, width, height] = PARTS[name];
  hole.globalCompositeOperation = "source-over";
  hole.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--hole");
  hole.save();
  hole.transform(right - x, rightY - y, below - x, belowY - y, x, y);
  hole.fillRect(left, top, width, height);
  hole.restore();
  showHole();
}

function clearHole() {
  hole.clearRect(0, 0, size.width, size.height);
  showHole();
}

function onPointer(event) {
  const box = get("picture").getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * size.width;
  const y = ((event.clientY - box.top) / box.height) * size.height;
  if (event.type === "pointerdown") {
    easel.setPointerCapture(event.pointerId);
    moveCursor(x, y);
  }
  if (event.buttons & 1) paint(x, y);
  moveCursor(x, y);
  if (event.type === "pointerup") showHole();
}

function onKey(event) {
  const step = Math.max(1, Math.round(radius() / 2));
  const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
  if (event.key === " ") {
    paint(cursor.x, cursor.y);
  } else if (moves[event.key]) {
    const [x, y] = [cursor.x + moves[event.key][0], cursor.y + moves[event.key][1]];
    if (event.shiftKey) paint(x, y);
    moveCursor(x, y);
  } else {
    return;
  }
  event.preventDefault();
  showHole();
  const [x, y] = [cursor.x / size.width, cursor.y / size.height].map((part) => Math.round(100 * part));
  get("share").append(` The brush is at ${x} % from the left and ${y} % from the top.`);
}
