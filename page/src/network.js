// The page's side of worker.js: each request is a promise, so that drawing never stops the page.

export class Network {
  /** runtimes: what runs.json says of ONNX Runtime's files, for each device. */
  constructor(runtimes) {
    this.runtimes = runtimes;
    this.waiting = new Map();
    this.worker = this.start();
  }

  start() {
    const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }) => {
      const request = this.waiting.get(data.id);
      if (data.received !== undefined) return request?.run === this.run && this.progress(data.received, data.of);
      const error = data.error && Object.assign(new Error(data.error.message), data.error);
      if (error?.reason === "runtime") return this.stop(worker, error);
      this.waiting.delete(data.id);
      if (error) request?.reject(error);
      else request?.resolve(data.result);
    };
    // It was not found, or it died.
    worker.onerror = ({ message }) =>
      this.stop(worker, Object.assign(new Error(message), { reason: message ? "other" : "stopped" }));
    return worker;
  }

  /** All requests fail. The next one starts another worker; at once, one that is missing would never rest. */
  stop(worker, error) {
    worker.terminate();
    this.worker = null;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }

  ask(run, device, points) {
    const id = (this.last = (this.last ?? 0) + 1);
    this.worker ??= this.start();
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject, run, device, points });
      this.worker.postMessage({ id, run, device, runtime: this.runtimes[device], points });
    });
  }

  /** Fetch a run's generator, unless it is there; device: "wasm" or "webgpu"; progress(received, of) is told bytes.
   *  Another one whose loading is still under way is given up: whoever passes it with the arrow keys didn't want it. */
  load(run, device, progress) {
    for (const [id, other] of this.waiting) {
      if (!other.points && (other.run !== run || other.device !== device)) this.worker.postMessage({ drop: id });
    }
    Object.assign(this, { run, progress });
    return this.ask(run, device, null);
  }

  /** Pictures of a run, which is loaded if need be: Uint8ClampedArray of RGBA pixels, [points.length, H, W, 4].
   *  points: a list of { noise, shares }, as `latent` and `mixture` make them. */
  draw(run, device, points) {
    return this.ask(run, device, points);
  }
}
