// The part of the page that walks from the first picture to another one.

import { SEEDS, seedOf } from "./address.js";
import { find, showEnds } from "./elements.js";
import { paint } from "./paint.js";
import { latent } from "./random.js";
import { mixture, onTheArc } from "./walk.js";

const THERE = 4000; // milliseconds from one end to the other when it plays

export class Walk {
  constructor(network, device, say, fail) {
    Object.assign(this, { network, device, say, fail, playing: false, busy: false, plays: 0 });
    this.way = find("#way");
    this.way.addEventListener("input", () => this.show());
    find("#end-class").addEventListener("change", ({ target }) => {
      this.end = Number(target.value);
      this.changed();
    });
    find("#end-seed").addEventListener("change", () => {
      this.say("");
      this.changed();
    });
    find("#play").addEventListener("click", () => this.play(!this.playing));
  }

  /** Start from these pictures' first; the end is kept where it still makes sense. names: the classes', as shown. */
  begin(run, label, seed, names) {
    if (this.run !== run) this.end = (label + 1) % run.classes.length;
    if (String(this.names) !== String(names)) showEnds(names); // only then: the list may stand open
    Object.assign(this, { run, label, seed, names });
    find("#end-class").value = String(this.end);
    if (find("#end-seed").value === "") find("#end-seed").value = String((seed + 1) % SEEDS);
    find("#start").textContent = this.words.picture(names[label], seed);
    this.changed();
  }

  /** Draws both ends anew, too. */
  changed() {
    this.endsDrawn = false;
    this.show();
  }

  /** Draws where the slider stands. While a picture is in the making, only the newest wish is kept. */
  async show() {
    if (!this.run) return;
    if (this.busy) {
      this.again = true;
      return;
    }
    const { run, label, end, names, words } = this; // as they are now: another walk may begin while this one draws
    const [first, seed] = [this.seed, seedOf(find("#end-seed").value)];
    const t = Number(this.way.value) / 100;
    find("#end-seed").setAttribute("aria-invalid", String(seed === null));
    if (seed === null) {
      this.say(words.wrong.seed(find("#end-seed").value));
      return;
    }
    const canvases = this.endsDrawn ? [find("#between")] : [find("#between"), ...document.querySelectorAll(".end")];
    this.endsDrawn = true;
    this.busy = true;
    try {
      const ends = [latent(first, run.latent), latent(seed, run.latent)];
      const points = canvases.map((_, i) => {
        const share = [t, 0, 1][i];
        return { noise: onTheArc(...ends, share), shares: mixture(label, end, share, run.classes.length) };
      });
      const rgba = await this.network.draw(run, this.device(), points);
      const [from, to] = [words.picture(names[label], first), words.picture(names[end], seed)];
      const said = [words.between(from, to, Math.round(100 * t)), from, to];
      canvases.forEach((canvas, i) => {
        paint(canvas, rgba, i, run.shape);
        canvas.setAttribute("aria-label", said[i]);
      });
      find("#between").dataset.shown = `${end} ${seed} ${Math.round(100 * t)}`;
    } catch (error) {
      this.endsDrawn = false;
      if (run === this.run) {
        this.play(false);
        this.fail(error, run);
      }
    }
    this.busy = false;
    if (this.again) {
      this.again = false;
      await this.show();
    }
  }

  /** Moves the slider there and back until it is stopped. */
  play(on) {
    if (!this.run) return; // nothing is drawn yet
    this.playing = on;
    const mine = ++this.plays; // whoever stops and plays again at once must not leave two of them
    const button = find("#play");
    button.dataset.word = on ? "stop" : "play"; // so that another language says the same
    button.textContent = this.words[button.dataset.word];
    if (!on) return;
    const begun = performance.now() - (Number(this.way.value) / 100) * THERE;
    const step = async () => {
      if (mine !== this.plays) return;
      const share = ((performance.now() - begun) / THERE) % 2;
      this.way.value = String(Math.round(100 * (share < 1 ? share : 2 - share)));
      await this.show();
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }
}
