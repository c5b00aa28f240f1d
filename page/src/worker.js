// Loads the generators and computes pictures with ONNX Runtime, in a thread of its own.

const GONE = [404, 410]; // what a server answers when another version of the page, with other files, is there
const KEPT = 3; // generators in memory at once
const OURS = `cgan-page ${new URL("./", self.location).pathname} `; // caches, as in sw.js
const MODELS = `${OURS}models`;
const sessions = new Map();
const runtimes = {}; // by device, once they are there
const fetched = {}; // by device, until then: what is there of a runtime's compiled part, { size, received, content }
const dropped = new Set(); // requests that nobody waits for any more
let current; // the one that is answered: { id, controller }

class Failure extends Error {
  constructor(reason, facts = {}) {
    super(reason);
    this.facts = { reason, ...facts };
  }
}

/** ONNX Runtime, of which `content` is the compiled part. Where it fails once it would fail for ever: hence "runtime",
 *  after which the page starts another worker. */
async function started(device, { module }, content) {
  try {
    const ort = await import(new URL(module, import.meta.url));
    ort.env.wasm.wasmPaths = new URL("./ort/", import.meta.url).href;
    ort.env.wasm.wasmBinary = content.buffer;
    ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency || 1) : 1;
    return (runtimes[device] = ort);
  } catch (error) {
    throw new Failure("runtime", { message: error.message });
  }
}

/** The bytes of a file, whole and unchanged, which are kept for later visits. Throws a Failure otherwise. */
async function download(wanted, received, signal) {
  const address = new URL(wanted.file, import.meta.url);
  try {
    const content = await checked(address, wanted, received, signal);
    if (wanted.name) keep(address, content); // a run's; the service worker keeps the runtime itself
    return content;
  } catch (error) {
    // What is kept may be wrong, and the service worker would answer with it for ever.
    if (!signal?.aborted) await forget(address);
    throw error;
  }
}

/** Puts a file where the service worker finds it. The page works without, so nobody is told when there is no room. */
async function keep(address, content) {
  try {
    const models = await caches.open(MODELS);
    if (!(await models.match(address))) await models.put(address, new Response(content));
  } catch {
    // no cache in this browser, or a full one
  }
}

async function forget(address) {
  try {
    for (const name of await caches.keys()) {
      if (name.startsWith(OURS)) await (await caches.open(name)).delete(address);
    }
  } catch {
    // then nothing was kept
  }
}

async function checked(address, { name = "ONNX Runtime", bytes, sha256 }, received, signal) {
  let size = 0;
  let response;
  const broken = () => new Failure("download", { file: name, received: size, bytes });
  const changed = () => new Failure("changed", { file: name });
  try {
    response = await fetch(address, { signal });
  } catch {
    throw broken();
  }
  if (!response.ok) throw GONE.includes(response.status) ? changed() : broken();
  const content = new Uint8Array(bytes);
  const reader = response.body.getReader();
  try {
    for (let part; !(part = await reader.read()).done; received(size)) {
      if (size + part.value.length > bytes) throw changed();
      content.set(part.value, size);
      size += part.value.length;
    }
  } catch (error) {
    throw error instanceof Failure ? error : broken();
  }
  if (size < bytes) throw broken();
  if (self.crypto?.subtle) {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
    const found = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    if (found !== sha256) throw changed();
  }
  return content;
}

/** ONNX Runtime's compiled part. Its download is not given up with the network's: every network needs it. */
async function compiled(device, runtime, received) {
  const shared = (fetched[device] ??= { size: 0 });
  received(shared.size);
  shared.received = received; // that of the newest request: one is answered at a time
  shared.content ??= download(runtime, (size) => shared.received((shared.size = size)));
  try {
    return await shared.content;
  } catch (error) {
    delete fetched[device];
    throw error;
  }
}

/** Fails when nobody waits any more. */
const givenUp = (signal) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Failure("dropped"))));

/** The session that draws with a run, and its runtime; received(size, of) is told the bytes so far and in all. */
async function load({ run, device, runtime }, received, signal) {
  const key = `${device} ${run.name}`;
  let found = sessions.get(key);
  if (!found) {
    const [sizes, of] = [[0, 0], run.bytes + (runtimes[device] ? 0 : runtime.bytes)];
    const told = (i) => (size) => {
      sizes[i] = size;
      received(sizes[0] + sizes[1], of);
    };
    const files = [download(run, told(0), signal)];
    if (!runtimes[device]) files.push(compiled(device, runtime, told(1)));
    const [network, content] = await Promise.race([Promise.all(files), givenUp(signal)]);
    const ort = runtimes[device] ?? (await started(device, runtime, content));
    delete fetched[device]; // a worker whose runtime failed is replaced as a whole
    found = { ort, session: await opened(ort, network, device) };
  }
  sessions.delete(key); // and in again, as the newest
  sessions.set(key, found);
  if (sessions.size > KEPT) {
    const [oldest, { session: old }] = sessions.entries().next().value;
    sessions.delete(oldest);
    await old.release();
  }
  return found;
}

async function opened(ort, network, device) {
  try {
    return await ort.InferenceSession.create(network, { executionProviders: [device] });
  } catch (error) {
    throw new Failure("runtime", { message: error.message });
  }
}

async function draw({ ort, session }, { shape }, points) {
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

async function answer(request) {
  const [{ id, run, points }, controller] = [request, new AbortController()];
  current = { id, controller };
  try {
    if (dropped.delete(id)) throw new Failure("dropped");
    const found = await load(request, (received, of) => postMessage({ id, received, of }), controller.signal);
    const result = points && (await draw(found, run, points));
    postMessage({ id, result }, result ? [result.buffer] : []);
  } catch (error) {
    controller.abort(); // the network's download, where the runtime's failed
    postMessage({ id, error: { message: String(error.message ?? error), ...error.facts } });
  }
}

// One after the other: a session can't run twice at a time.
let last = Promise.resolve();
self.onmessage = ({ data }) => {
  if (!data.drop) last = last.then(() => answer(data));
  else if (data.drop === current?.id) current.controller.abort();
  else dropped.add(data.drop);
};
