// Pixels on canvases, and as a PNG file.

/** Puts picture i of RGBA pixels [pictures, H, W, 4] on a canvas, pixel for pixel; style sheets make it larger. */
export function paint(canvas, rgba, i, [height, width]) {
  canvas.width = width;
  canvas.height = height;
  const size = height * width * 4;
  canvas.getContext("2d").putImageData(new ImageData(rgba.slice(i * size, (i + 1) * size), width, height), 0, 0);
}

/** All canvases of one size in rows, `scale` times as large, each pixel a square: a PNG file's Blob. */
export function sheet(canvases, scale) {
  const across = Math.ceil(Math.sqrt(canvases.length));
  const [width, height] = [canvases[0].width * scale, canvases[0].height * scale];
  const whole = document.createElement("canvas");
  whole.width = across * width;
  whole.height = Math.ceil(canvases.length / across) * height;
  const context = whole.getContext("2d");
  context.imageSmoothingEnabled = false;
  canvases.forEach((canvas, i) => {
    context.drawImage(canvas, (i % across) * width, Math.floor(i / across) * height, width, height);
  });
  return new Promise((resolve) => whole.toBlob(resolve, "image/png"));
}

export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
