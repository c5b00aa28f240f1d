// A way through what a generator can draw: from one seed and class to another.

/**
 * The point at share t, 0 to 1, of the arc from a to b, two Float32Arrays of normal numbers.
 *
 * Spherical, since noise of many dimensions lies near a sphere, and the straight line would leave it
 * (White 2016, arXiv:1609.04468).
 */
export function onTheArc(a, b, t) {
  const dot = (u, v) => u.reduce((sum, x, i) => sum + x * v[i], 0);
  const cosine = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  if (angle < 1e-4) return t < 1 ? a : b;
  const [fromA, fromB] = [Math.sin((1 - t) * angle), Math.sin(t * angle)].map((x) => x / Math.sin(angle));
  return a.map((x, i) => fromA * x + fromB * b[i]);
}

/** Shares of the classes, which sum to 1: Float32Array of `classes` numbers, 1 - t for class a and t for class b. */
export function mixture(a, b, t, classes) {
  const shares = new Float32Array(classes);
  shares[a] += 1 - t;
  shares[b] += t;
  return shares;
}
