// What the link in the address bar says: #run=modelo_6_cifar10_v1&class=horse&seed=7&count=8

export const SEEDS = 2 ** 32; // how many there are, as in NumPy
export const COUNTS = [1, 4, 8, 16, 32, 64];
const KEYS = ["run", "class", "seed", "count"];
const TRACKING = /^(utm_.*|fbclid|gclid|dclid|msclkid|igshid|mc_[ce]id)$/; // what others hang on a link that is shared

/** The seed that a text names, or null: whole numbers from 0 to 4,294,967,295. */
export function seedOf(text) {
  const seed = Number(text);
  return /^\s*\d+\s*$/.test(text) && seed < SEEDS ? seed : null;
}

/**
 * { run, label, seed, count, wrong } of the part of an address behind #, for the list of runs that the page offers.
 *
 * What is not named takes its default; so does what can't be, and `wrong` then lists it, as [what, the text]. It lists
 * names that mean nothing here, too, as ["key", the name]. Capitals in a name make no difference.
 */
export function read(hash, runs) {
  const named = new Map();
  const wrong = [];
  // A program that passes a link on may write &amp; for &, as in HTML, and the next one &amp;amp;
  for (const [name, text] of new URLSearchParams(hash.replace(/^#/, "").replace(/&(amp;)+/gi, "&"))) {
    const key = name.toLowerCase();
    if (KEYS.includes(key)) {
      if (!named.has(key)) named.set(key, text);
    } else if (!TRACKING.test(key)) wrong.push(["key", name]);
  }
  const choose = (key, found, fallback) => {
    if (!named.has(key)) return fallback;
    const value = found(named.get(key));
    if (value === undefined || value === null || value === -1) {
      wrong.push([key, named.get(key)]);
      return fallback;
    }
    return value;
  };
  const run = choose("run", (name) => runs.find((one) => one.name === name), runs[0]);
  return {
    run,
    label: choose("class", (name) => run.classes.indexOf(name), 0),
    seed: choose("seed", seedOf, 0),
    count: choose("count", (text) => COUNTS.find((count) => String(count) === text), 8),
    wrong,
  };
}

/** The part of an address behind # that `read` understands. */
export function write({ run, label, seed, count }) {
  return `#${new URLSearchParams({ run: run.name, class: run.classes[label], seed, count })}`;
}
