// The random numbers of numpy.random.RandomState, so that a seed means the same picture here and in Python.
//
// NumPy has promised never to change this stream (NEP 19): the Mersenne Twister MT19937 (Matsumoto and Nishimura 1998),
// and Marsaglia's polar method for normal numbers.

const SIZE = 624; // words of the generator's state
const SHIFT = 397;

export class RandomState {
  /** seed: a whole number from 0 to 4,294,967,295. */
  constructor(seed) {
    this.state = new Uint32Array(SIZE);
    this.state[0] = seed;
    for (let i = 1; i < SIZE; i++) {
      const last = this.state[i - 1];
      this.state[i] = Math.imul(1812433253, last ^ (last >>> 30)) + i;
    }
    this.next = SIZE; // the first number asked for begins a new round of 624
    this.spare = null; // normal numbers are made in pairs
  }

  renew() {
    const state = this.state;
    for (let i = 0; i < SIZE; i++) {
      const joined = (state[i] & 0x80000000) | (state[(i + 1) % SIZE] & 0x7fffffff);
      state[i] = state[(i + SHIFT) % SIZE] ^ (joined >>> 1) ^ (joined & 1 ? 0x9908b0df : 0);
    }
    this.next = 0;
  }

  /** A whole number of 32 random bits. */
  bits() {
    if (this.next === SIZE) this.renew();
    let word = this.state[this.next++];
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  /** Uniform in [0, 1), with 53 random bits. */
  uniform() {
    const high = this.bits() >>> 5;
    const low = this.bits() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  /** Normal, with mean 0 and variance 1. */
  normal() {
    if (this.spare !== null) {
      const spare = this.spare;
      this.spare = null;
      return spare;
    }
    let x, y, square;
    do {
      x = 2 * this.uniform() - 1;
      y = 2 * this.uniform() - 1;
      square = x * x + y * y;
    } while (square >= 1 || square === 0);
    const factor = Math.sqrt((-2 * Math.log(square)) / square);
    this.spare = factor * x;
    return factor * y;
  }
}

/** The noise z that a seed stands for: Float32Array of `size` normal numbers. */
export function latent(seed, size) {
  const random = new RandomState(seed);
  return Float32Array.from({ length: size }, () => random.normal());
}
