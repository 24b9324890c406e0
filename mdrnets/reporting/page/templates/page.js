"use strict";
// The page is complete without this script. It opens the runs behind a value in a dialog, enlarges
// figures, and compares two versions of a face.

const dialog = document.getElementById("dialog");

function open(title, ...content) {
  document.getElementById("dialog-title").textContent = title;
  document.getElementById("dialog-content").replaceChildren(...content);
  dialog.showModal();
  document.getElementById("dialog-content").scrollTop = 0;
}

// A copy of an execution's entry; ids stay with the original.
function copyOf(link) {
  const copy = document.querySelector(link.hash).closest("details").cloneNode(true);
  copy.querySelectorAll("[id]").forEach((element) => element.removeAttribute("id"));
  return copy;
}

for (const link of document.querySelectorAll("a[data-about]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    const runs = document.querySelector(link.hash).querySelectorAll("a.run");
    open(link.dataset.about, ...[...runs].map(copyOf));
  });
}

for (const image of document.querySelectorAll(".figure img")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "enlarge";
  button.setAttribute("aria-haspopup", "dialog");
  button.setAttribute("aria-label", `Enlarge: ${image.alt}`);
  image.replaceWith(button);
  button.append(image);
  button.addEventListener("click", () => {
    const caption = button.parentElement.querySelector("figcaption");
    open(caption.textContent, image.cloneNode());
  });
}

for (const comparison of document.querySelectorAll(".comparison")) {
  const faces = comparison.querySelectorAll(".faces img");
  const layers = comparison.querySelectorAll(".stack img");
  const choices = comparison.querySelectorAll("select");
  const range = comparison.querySelector("input");
  const show = () => {
    choices.forEach((choice, at) => {
      const face = faces[choice.selectedIndex];
      layers[at].src = face.src;
      layers[at].alt = face.alt;
    });
    comparison.querySelector(".stack").style.setProperty("--at", `${range.value}%`);
    const [left, right] = [...choices].map((choice) => choice.value);
    range.setAttribute("aria-valuetext", `${range.value} % ${left}, ${100 - range.value} % ${right}`);
  };
  comparison.addEventListener("input", show);
  show();
  comparison.querySelector(".slider").hidden = false;
}
