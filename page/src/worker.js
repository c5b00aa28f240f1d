// Loads the generators and computes pictures with ONNX Runtime, in a thread of its own.

const KEPT = 3; // generators in memory at once
const RUNTIMES = { wasm: "./ort/ort.wasm.min.mjs", webgpu: "./ort/ort.webgpu.min.mjs" };
const sessions = new Map();

class Failure extends Error {
  constructor(reason, facts = {}) {
    super(reason);
    this.facts = { reason, ...facts };
  }
}

async function runtime(device) {
  const ort = await import(RUNTIMES[device]);
  ort.env.wasm.wasmPaths = new URL("./ort/", import.meta.url).href;
  ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency || 1) : 1;
  return ort;
}

/** The bytes of a run's file, whole and unchanged, which are kept for later visits. Throws a Failure otherwise. */
async function download(run, received) {
  const address = new URL(run.file, import.meta.url);
  try {
    const content = await checked(address, run, received);
    keep(address, content);
    return content;
  } catch (error) {
    await forget(address); // or else the service worker would answer with the same wrong file for ever
    throw error;
  }
}

/** Puts a file where the service worker finds it. The page works without, so nobody is told when there is no room. */
async function keep(address, content) {
  try {
    const models = await caches.open("models");
    if (!(await models.match(address))) await models.put(address, new Response(content));
  } catch {
    // no cache in this browser, or a full one
  }
}

async function forget(address) {
  try {
    await (await caches.open("models")).delete(address);
  } catch {
    // then nothing was kept
  }
}

async function checked(address, { bytes, sha256 }, received) {
  let response;
  try {
    response = await fetch(address);
  } catch {
    throw new Failure("download", { received: 0 });
  }
  if (!response.ok) throw new Failure("download", { received: 0 });
  const content = new Uint8Array(bytes);
  let size = 0;
  const reader = response.body.getReader();
  try {
    for (let part; !(part = await reader.read()).done; received(size)) {
      if (size + part.value.length > bytes) throw new Failure("changed");
      content.set(part.value, size);
      size += part.value.length;
    }
  } catch (error) {
    throw error instanceof Failure ? error : new Failure("download", { received: size });
  }
  if (size < bytes) throw new Failure("download", { received: size });
  if (self.crypto?.subtle) {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
    const found = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    if (found !== sha256) throw new Failure("changed");
  }
  return content;
}

async function load(wanted, received) {
  const key = `${wanted.device} ${wanted.name}`;
  const there = sessions.get(key);
  if (there) {
    sessions.delete(key); // and in again, as the newest
    sessions.set(key, there);
    return;
  }
  const [ort, content] = await Promise.all([runtime(wanted.device), download(wanted, received)]);
  const session = await ort.InferenceSession.create(content, { executionProviders: [wanted.device] });
  sessions.set(key, { ort, session });
  if (sessions.size > KEPT) {
    const [oldest, { session: old }] = sessions.entries().next().value;
    sessions.delete(oldest);
    await old.release();
  }
}

async function draw({ name, device, shape, points }) {
  const { ort, session } = sessions.get(`${device} ${name}`);
  const rows = (key) => {
    const [width, all] = [points[0][key].length, new Float32Array(points.length * points[0][key].length)];
    points.forEach((point, i) => all.set(point[key], i * width));
    return new ort.Tensor("float32", all, [points.length, width]);
  };
  const drawn = await session.run({ noise: rows("noise"), classes: rows("shares") });
  return pixels(Object.values(drawn)[0].data, shape[2]);
}

/** RGBA of numbers in [-1, 1] with 1 or 3 channels, rounded to the nearest grey level as in Python. */
function pixels(signed, channels) {
  const rgba = new Uint8ClampedArray((signed.length / channels) * 4);
  for (let i = 0, j = 0; j < rgba.length; i += channels, j += 4) {
    for (let k = 0; k < 3; k++) rgba[j + k] = (signed[i + (channels === 3 ? k : 0)] + 1) * 127.5;
    rgba[j + 3] = 255;
  }
  return rgba;
}

async function answer({ id, load: toLoad, draw: toDraw }) {
  try {
    const result = toLoad ? await load(toLoad, (received) => postMessage({ id, received })) : await draw(toDraw);
    postMessage({ id, result }, result ? [result.buffer] : []);
  } catch (error) {
    postMessage({ id, error: { message: String(error.message ?? error), ...error.facts } });
  }
}

// One after the other: a session can't run twice at a time.
let last = Promise.resolve();
self.onmessage = ({ data }) => {
  last = last.then(() => answer(data));
};
