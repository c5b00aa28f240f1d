// The page: what is chosen, and the pictures of it.

import { COUNTS, SEEDS, read, seedOf, write } from "./address.js";
import { find, firstFound, make, searchClasses, showClasses, showRuns, showTiles, translate } from "./elements.js";
import { Network } from "./network.js";
import { paint, save, sheet } from "./paint.js";
import { latent } from "./random.js";
import { mixture } from "./walk.js";
import { Walk } from "./walking.js";
import { language as preferred, languages, nameOf, remember } from "./words.js";

const AT_ONCE = 4; // pictures that the network draws in one call, so that the first ones are soon seen
const PNG_WIDTH = 256; // a saved picture is about so wide

let language = preferred();
let words = languages[language];
let runs = [];
let chosen; // { run, label, seed, count }, as address.js reads it
let turn = 0; // counts what was asked for: an answer to an earlier question is not shown
let entry = "replaceState"; // "pushState" where the browser's Back button shall return to the pictures shown now
let network, walk; // as soon as the list of runs is here
const device = () => find("#device select").value;

function say(text, retry = false) {
  find("#message").hidden = !text;
  find("#message").classList.remove("waiting");
  find("#message span").textContent = text;
  find("#message button").hidden = !retry;
}

function fail(error, run) {
  const reason = error.reason in words.failed ? error.reason : "other";
  find("#loading").hidden = true;
  find("#status").textContent = "";
  say(words.failed[reason](run, error), true);
  if (reason === "changed") renew();
}

/** Has the service worker look for a new version of the page now: else the next reload still shows the old one. */
function renew() {
  navigator.serviceWorker?.getRegistration().then((kept) => kept?.update()).catch(() => {}); // the page works without
}

/** The link to what is chosen. */
const here = () => new URL(write(chosen), location.href).href;

/** Puts it into the address bar. */
function tell() {
  try {
    if (location.href !== here()) history[entry](null, "", here());
    entry = "replaceState";
  } catch {
    // Too often in a short time for this browser, as when an arrow key is held; told again after drawing.
  }
}

const nameHere = (label) => nameOf(chosen.run.classes[label], language);

/** Loads what is chosen and draws it, a few pictures at a time. */
async function draw() {
  const mine = ++turn;
  const { run, label, seed } = chosen;
  const count = Math.min(chosen.count, SEEDS - seed);
  find("#save").disabled = true; // the pictures there are not yet those that the file's name would tell
  tell();
  try {
    await network.load(run, device(), (received, of) => mine === turn && progress(run, received, of));
    if (mine !== turn) return;
    find("#loading").hidden = true;
    const begun = performance.now();
    const tiles = showTiles(count, look);
    const shares = mixture(label, label, 0, run.classes.length);
    for (let first = 0; first < count; first += AT_ONCE) {
      if (count > AT_ONCE) find("#status").textContent = words.drawing(first, count);
      const some = tiles.slice(first, first + AT_ONCE);
      const points = some.map((_, i) => ({ noise: latent(seed + first + i, run.latent), shares }));
      const rgba = await network.draw(run, device(), points);
      if (mine !== turn) return;
      some.forEach((tile, i) => show(tile, rgba, i, first + i));
    }
    find("#status").textContent = words.drawn(count, Math.round(performance.now() - begun));
    tell();
    document.body.dataset.drawn = write(chosen);
    find("#save").disabled = false;
    walk.begin(run, label, seed, run.classes.map((name) => nameOf(name, language)));
    keep();
  } catch (error) {
    if (mine === turn) fail(error, run);
  }
}

/** What is said stays the same while bytes arrive, so that a screen reader says it once. */
function progress(run, received, of) {
  Object.assign(find("progress"), { max: of, value: received });
  find("#loading").hidden = false;
  find("#amount").textContent = words.amount(received, of);
  const said = received < of ? words.loading(run) : words.starting(run);
  if (find("#status").textContent !== said) find("#status").textContent = said;
}

/** Puts picture i of `rgba` on a tile, the one of seed chosen.seed + offset. */
function show(tile, rgba, i, offset) {
  paint(tile.firstChild, rgba, i, chosen.run.shape);
  const said = words.picture(nameHere(chosen.label), chosen.seed + offset);
  tile.setAttribute("aria-label", said);
  tile.title = said;
  if (offset === 0) look(tile);
}

/** Shows a tile's picture large. */
function look(tile) {
  const [small, large] = [tile.firstChild, find("#pictures figure canvas")];
  if (!tile.title) return; // not drawn yet
  large.width = small.width;
  large.height = small.height;
  large.getContext("2d").drawImage(small, 0, 0);
  find("#pictures figcaption").textContent = tile.title;
  large.setAttribute("aria-label", tile.title);
}

/** Puts what is chosen into the controls. */
function update() {
  showRuns(runs, chosen.run, words);
  showClasses(chosen.run, chosen.label, language);
  showSeed();
  find("#count").value = chosen.count;
}

/** After every choice the field has the seed that is drawn, whatever was typed there. */
function showSeed() {
  find("#seed").value = chosen.seed;
  find("#seed").setAttribute("aria-invalid", "false");
}

/** hash: what was asked for. The address bar may say something else by now, if a drawing came to its end meanwhile. */
function fromAddress(hash) {
  const { wrong, ...named } = read(hash, runs);
  chosen = named;
  entry = "replaceState"; // the browser has made one, or returned to it
  say(wrong.map(([key, text]) => words.wrong[key](text)).join(" "));
  update();
  draw();
}

function choose(change) {
  say("");
  // What was passed over before it was drawn, as with an arrow key held, is not worth returning to.
  if (document.body.dataset.drawn === write(chosen)) entry = "pushState";
  Object.assign(chosen, change);
  showSeed();
  draw();
}

function chooseRun(name) {
  const run = runs.find((one) => one.name === name);
  const label = Math.max(0, run.classes.indexOf(chosen.run.classes[chosen.label]));
  showClasses(run, label, language);
  choose({ run, label });
}

function chooseSeed(text) {
  const seed = seedOf(text);
  if (seed !== null) return choose({ seed });
  find("#seed").setAttribute("aria-invalid", "true");
  say(words.wrong.seed(text));
}

function fresh() {
  choose({ seed: Math.floor(Math.random() * 1e6) }); // short enough to tell somebody
}

async function saveAll() {
  const canvases = [...find("#tiles").children].map((tile) => tile.firstChild);
  const scale = Math.max(1, Math.round(PNG_WIDTH / canvases[0].width));
  const name = chosen.run.classes[chosen.label].replace(/\W+/g, "_");
  const file = `${chosen.run.name}_${name}_${chosen.seed}.png`; // before waiting: the next choice has another name
  save(await sheet(canvases, scale), file);
}

async function share() {
  try {
    await navigator.clipboard.writeText(here());
    find("#status").textContent = words.shared;
  } catch {
    find("#status").textContent = words.notShared;
  }
}

function speak(chosenLanguage) {
  language = chosenLanguage;
  words = languages[language];
  if (walk) walk.words = words;
  translate(language, words);
}

function listen() {
  find("#runs").addEventListener("change", ({ target }) => chooseRun(target.value));
  find("#classes div").addEventListener("change", ({ target }) => choose({ label: Number(target.value) }));
  find("#classes input[type=search]").addEventListener("input", ({ target }) =>
    searchClasses(chosen.run, target.value, language, words),
  );
  find("#classes input[type=search]").addEventListener("keydown", ({ key }) => key === "Enter" && firstFound()?.click());
  find("#seed").addEventListener("change", ({ target }) => chooseSeed(target.value));
  find("#count").addEventListener("change", ({ target }) => choose({ count: Number(target.value) }));
  find("#fresh").addEventListener("click", fresh);
  find("#save").addEventListener("click", saveAll);
  find("#share").addEventListener("click", share);
  find("#device select").addEventListener("change", () => choose({}));
  find("#message button").addEventListener("click", () => choose({}));
  find("#languages").addEventListener("click", ({ target }) => {
    if (!target.value) return;
    remember(target.value);
    speak(target.value);
    say("");
    update();
    draw();
  });
  window.addEventListener("hashchange", ({ newURL }) => fromAddress(new URL(newURL).hash));
}

/** Keeps the page for visits without a connection, once it has what it needs. */
function keep() {
  navigator.serviceWorker?.register("sw.js").catch(() => {}); // the page works without
}

async function start() {
  speak(language);
  if (!("Worker" in window && "WebAssembly" in window)) return say(words.failed.wasm());
  let list;
  try {
    list = await (await fetch("runs.json")).json();
  } catch {
    return say(words.failed.list());
  }
  runs = list.runs;
  network = new Network(list.runtimes);
  walk = Object.assign(new Walk(network, device, say, fail), { words });
  if (list.source) Object.assign(find("#source"), { href: list.source, hidden: false }); // the project has an address
  find("#count").append(...COUNTS.map((count) => make("option", { value: String(count), textContent: String(count) })));
  find("main").hidden = false;
  listen();
  fromAddress(location.hash);
  find("#device").hidden = !(await navigator.gpu?.requestAdapter().catch(() => null));
}

start();
