// Keeps the page for visits without a connection: its own files at once. worker.js adds each network that it has loaded.
// tools/page.py fills in what it built; a new version of the page replaces the old one when it is next visited.

// Caches belong to the whole address of a server, where other pages may keep theirs.
const OURS = `cgan-page ${new URL("./", self.location).pathname} `;
const VERSION = `${OURS}{{version}}`;
const FILES = ["./", "index.html", ...{{files}}];
const MODELS = `${OURS}models`;

self.addEventListener("install", (event) => {
  self.skipWaiting();
  // Past the browser's own cache, which may still hold a file of the version before.
  const fresh = FILES.map((file) => new Request(file, { cache: "no-cache" }));
  event.waitUntil(caches.open(VERSION).then((cache) => cache.addAll(fresh)));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(tidy().then(() => self.clients.claim()));
});

async function tidy() {
  for (const name of await caches.keys()) {
    if (name.startsWith(OURS) && name !== VERSION && name !== MODELS) await caches.delete(name);
  }
  const offered = (await (await (await caches.open(VERSION)).match("runs.json")).json()).runs.map((run) => run.file);
  const models = await caches.open(MODELS);
  for (const request of await models.keys()) {
    if (!offered.some((file) => request.url.endsWith(file))) await models.delete(request);
  }
}

self.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  if (method === "GET" && new URL(url).origin === location.origin) event.respondWith(answer(event.request));
});

async function answer(request) {
  const kept = await caches.match(request, { ignoreSearch: true });
  if (kept) return isolated(kept);
  const response = await fetch(request);
  if (response.ok && /\/ort\//.test(request.url)) {
    const copy = response.clone();
    caches.open(MODELS).then((cache) => cache.put(request, copy)).catch(() => {}); // a cut download is not kept
  }
  return isolated(response);
}

/** With these headers a browser lets WebAssembly use several threads; a static server can't send them. */
function isolated(response) {
  if (response.type === "opaque" || response.status === 0) return response;
  const headers = new Headers(response.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}
