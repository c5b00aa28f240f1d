// The page's side of worker.js: each request is a promise, so that drawing never stops the page.

export class Network {
  constructor() {
    this.waiting = new Map();
    this.worker = this.start();
  }

  start() {
    const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }) => {
      const request = this.waiting.get(data.id);
      if (data.received !== undefined) return request.progress?.(data.received);
      this.waiting.delete(data.id);
      if (data.error) request.reject(Object.assign(new Error(data.error.message), data.error));
      else request.resolve(data.result);
    };
    // It was not found, or it died. The next request starts another one; at once, one that is missing would never rest.
    worker.onerror = ({ message }) => {
      worker.terminate();
      this.worker = null;
      const error = Object.assign(new Error(message), { reason: message ? "other" : "stopped" });
      for (const { reject } of this.waiting.values()) reject(error);
      this.waiting.clear();
    };
    return worker;
  }

  ask(message, progress) {
    const id = (this.last = (this.last ?? 0) + 1);
    this.worker ??= this.start();
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject, progress });
      this.worker.postMessage({ ...message, id });
    });
  }

  /** Fetch a run's generator, unless it is there; device: "wasm" or "webgpu"; progress is told the bytes so far. */
  load(run, device, progress) {
    const { name, file, bytes, sha256 } = run;
    return this.ask({ load: { name, file, bytes, sha256, device } }, progress);
  }

  /** Pictures of the run loaded under this name: Uint8ClampedArray of RGBA pixels, [points.length, H, W, 4].
   *  points: a list of { noise, shares }, as `latent` and `mixture` make them. */
  draw(run, device, points) {
    return this.ask({ draw: { name: run.name, device, shape: run.shape, points } });
  }
}
