// Builds the parts of the page that depend on the runs and their classes.

import { nameOf } from "./words.js";

export const find = (selector) => document.querySelector(selector);

/** <tag> with properties and children; what the user or a file says enters as text, never as HTML. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function choice(group, value, chosen, ...content) {
  const radio = make("input", { type: "radio", name: group, value: String(value), checked: chosen });
  return make("label", {}, radio, ...content);
}

/** A card for each run: what it draws, how well, and how large it is. */
export function showRuns(runs, chosen, words) {
  const cards = runs.map((run) =>
    choice(
      "run",
      run.name,
      run === chosen,
      make("img", { src: run.strip, alt: "", width: 160, height: 32 }),
      make("strong", { textContent: run.title }),
      make("span", { textContent: words.card(run) }),
      make("span", { className: "quality", textContent: words.quality(run) }),
    ),
  );
  find("#runs div").replaceChildren(...cards);
}

/** A button for each class of a run, and above many of them a field to search in. */
export function showClasses(run, label, language) {
  const labels = run.classes.map((name, i) => choice("class", i, i === label, make("span", { textContent: nameOf(name, language) })));
  find("#classes div").replaceChildren(...labels);
  find("#classes label").hidden = run.classes.length <= 12;
  find("#classes input[type=search]").value = "";
  find("#classes > p").textContent = "";
}

const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** Hides the classes whose name, in English, in the language or as Python has it, lacks the text; accents and case do
 *  not matter. */
export function searchClasses(run, text, language, words) {
  const sought = plain(text.trim());
  let found = 0;
  for (const label of find("#classes div").children) {
    const name = run.classes[Number(label.firstChild.value)];
    label.hidden = ![nameOf(name, language), nameOf(name, "en"), name].some((one) => plain(one).includes(sought));
    found += !label.hidden;
  }
  find("#classes > p").textContent = found ? "" : words.none(text);
}

/** The names of the classes in which a walk may end. */
export function showEnds(names) {
  const options = names.map((textContent, i) => make("option", { value: String(i), textContent }));
  find("#end-class").replaceChildren(...options);
}

/** The radio button of the first class that the search has left, or null. */
export const firstFound = () => find("#classes div label:not([hidden]) input");

/** As many empty pictures as are asked for; what stood there stays until it is drawn over. */
export function showTiles(count, look) {
  const tiles = find("#tiles");
  tiles.style.setProperty("--columns", String(count > 16 ? 8 : Math.min(4, Math.ceil(count / 2))));
  while (tiles.children.length > count) tiles.lastChild.remove();
  while (tiles.children.length < count) {
    const tile = make("button", { type: "button" }, make("canvas"));
    for (const event of ["pointerenter", "focus", "click"]) tile.addEventListener(event, () => look(tile));
    tiles.append(tile);
  }
  return [...tiles.children];
}

/** Puts the words of a language into all that has data-word. */
export function translate(language, words) {
  document.documentElement.lang = language;
  document.title = words.title;
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = words[element.dataset.word];
  for (const button of document.querySelectorAll("#languages button")) {
    button.setAttribute("aria-pressed", String(button.value === language));
  }
}
