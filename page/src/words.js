// What the page says, in English and Spanish. Functions where something is filled in.

import { spanish } from "./names.js";

const digits = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
const megabytesIn = (locale) => (bytes) => `${(bytes / 1e6).toLocaleString(locale, digits)} MB`;
const [megabytes, megas] = [megabytesIn("en"), megabytesIn("es")];
const percentIn = (locale) => (share) => share.toLocaleString(locale, { style: "percent", ...digits });
const [percent, porcentaje] = [percentIn("en"), percentIn("es")];

const en = {
  title: "Choose a class, get a new image",
  lead: "A small neural network draws it on your own device, from a seed: any number you like.",
  runs: "What shall it draw?",
  classes: "Class",
  find: "Find a class",
  none: (text) => `No class is called “${text}”.`,
  seed: "Seed",
  count: "Pictures",
  fresh: "New pictures",
  save: "Save as PNG",
  share: "Copy the link",
  shared: "The link is in the clipboard: it opens these same pictures.",
  notShared: "The browser does not allow copying here; the link is in the address bar.",
  hint: "Point at a picture, or tap it, to see it large. A seed is always the same picture, here and in Python.",
  walk: "Walk from one picture to another",
  walkHint: "The network was never shown the pictures in between. Watch where one thing becomes another.",
  from: "From",
  toSeed: "Seed at the end",
  toClass: "Class at the end",
  way: "Way",
  play: "Play",
  stop: "Stop",
  device: "Compute with",
  wasm: "the processor",
  webgpu: "the graphics card (27 MB more to load)",
  source: "The notebooks that train these networks",
  private: "Everything is computed on your device; nothing you choose is sent anywhere.",
  again: "Try again",
  loading: (run) => `Loading ${run.name} …`,
  amount: (received, of) => `${megabytes(received)} of ${megabytes(of)}`,
  starting: (run) => `Starting ${run.name} …`,
  drawing: (done, count) => `Drawing: ${done} of ${count}`,
  drawn: (count, milliseconds) => `${count === 1 ? "1 picture" : `${count} pictures`} in ${milliseconds} ms`,
  picture: (name, seed) => `${name}, seed ${seed}`,
  between: (from, to, way) => `${way}% of the way from “${from}” to “${to}”`,
  quality: ({ accuracy, real, title }) =>
    `A classifier recognises ${percent(accuracy)} of its drawings, and ${percent(real)} of real ${title} images.`,
  card: (run) => `${run.name}, ${run.classes.length} classes, ${megabytes(run.bytes)}`,
  wrong: {
    run: (text) => `There is no network “${text}” on this page; it shows another one.`,
    class: (text) => `This network knows no class “${text}”; it draws another one.`,
    seed: (text) => `“${text}” is no seed; use a whole number from 0 to 4,294,967,295.`,
    count: (text) => `“${text}” is no number of pictures on offer; here are 8.`,
    key: (text) => `“${text}” means nothing in a link to this page; use run, class, seed and count.`,
  },
  failed: {
    download: (run, { file, received, bytes }) =>
      `The download of ${file} broke off after ${megabytes(received)} of ${megabytes(bytes)}. ` +
      "Check the connection and try again.",
    changed: (run, { file }) =>
      `The file of ${file} is gone, or is not the one this page was built with. Reload the page.`,
    wasm: () => "This browser has no WebAssembly, which the networks need. Use a current Firefox, Chrome, Edge or Safari.",
    list: () => "The list of networks could not be loaded. Check the connection and reload the page.",
    runtime: (run, { message }) =>
      `ONNX Runtime, which computes the pictures of ${run.name}, could not be started: ${message}`,
    stopped: (run) => `The part of the page that draws with ${run.name} could not be started, or it stopped.`,
    other: (run, { message }) => `${run.name} could not draw: ${message}`,
  },
};

const es = {
  title: "Elige una clase y recibe una imagen nueva",
  lead: "Una pequeña red neuronal la dibuja en tu propio dispositivo, a partir de una semilla: el número que quieras.",
  runs: "¿Qué debe dibujar?",
  classes: "Clase",
  find: "Buscar una clase",
  none: (text) => `Ninguna clase se llama «${text}».`,
  seed: "Semilla",
  count: "Imágenes",
  fresh: "Imágenes nuevas",
  save: "Guardar como PNG",
  share: "Copiar el enlace",
  shared: "El enlace está en el portapapeles: abre estas mismas imágenes.",
  notShared: "El navegador no permite copiar aquí; el enlace está en la barra de direcciones.",
  hint: "Señala o toca una imagen para verla grande. Una semilla es siempre la misma imagen, aquí y en Python.",
  walk: "Pasea de una imagen a otra",
  walkHint: "Nadie le enseñó a la red las imágenes intermedias. Mira dónde una cosa se convierte en otra.",
  from: "Desde",
  toSeed: "Semilla al final",
  toClass: "Clase al final",
  way: "Camino",
  play: "Reproducir",
  stop: "Parar",
  device: "Calcular con",
  wasm: "el procesador",
  webgpu: "la tarjeta gráfica (27 MB más de descarga)",
  source: "Los cuadernos que entrenan estas redes",
  private: "Todo se calcula en tu dispositivo; nada de lo que eliges se envía.",
  again: "Reintentar",
  loading: (run) => `Cargando ${run.name} …`,
  amount: (received, of) => `${megas(received)} de ${megas(of)}`,
  starting: (run) => `Preparando ${run.name} …`,
  drawing: (done, count) => `Dibujando: ${done} de ${count}`,
  drawn: (count, milliseconds) => `${count === 1 ? "1 imagen" : `${count} imágenes`} en ${milliseconds} ms`,
  picture: (name, seed) => `${name}, semilla ${seed}`,
  between: (from, to, way) => `${way} % del camino de «${from}» a «${to}»`,
  quality: ({ accuracy, real, title }) =>
    `Un clasificador reconoce el ${porcentaje(accuracy)} de sus dibujos y el ${porcentaje(real)} de las imágenes ` +
    `reales de ${title}.`,
  card: (run) => `${run.name}, ${run.classes.length} clases, ${megas(run.bytes)}`,
  wrong: {
    run: (text) => `En esta página no hay ninguna red «${text}»; se muestra otra.`,
    class: (text) => `Esta red no conoce la clase «${text}»; dibuja otra.`,
    seed: (text) => `«${text}» no es una semilla; usa un número entero de 0 a 4.294.967.295.`,
    count: (text) => `«${text}» no es un número de imágenes de la lista; aquí van 8.`,
    key: (text) => `«${text}» no significa nada en un enlace a esta página; usa run, class, seed y count.`,
  },
  failed: {
    download: (run, { file, received, bytes }) =>
      `La descarga de ${file} se cortó después de ${megas(received)} de ${megas(bytes)}. ` +
      "Comprueba la conexión y reinténtalo.",
    changed: (run, { file }) =>
      `El archivo de ${file} ya no está o no es el de esta versión de la página. Vuelve a cargarla.`,
    wasm: () => "Este navegador no tiene WebAssembly, que las redes necesitan. Usa Firefox, Chrome, Edge o Safari actuales.",
    list: () => "No se pudo cargar la lista de redes. Comprueba la conexión y vuelve a cargar la página.",
    runtime: (run, { message }) =>
      `ONNX Runtime, que calcula las imágenes de ${run.name}, no pudo empezar: ${message}`,
    stopped: (run) => `La parte de la página que dibuja con ${run.name} no pudo empezar, o se paró.`,
    other: (run, { message }) => `${run.name} no pudo dibujar: ${message}`,
  },
};

export const languages = { en, es };

/** A class's name as people write it, in the language. */
export function nameOf(name, language) {
  return (language === "es" && spanish[name]) || name.replaceAll("_", " ");
}

/** "en" or "es": what was chosen on an earlier visit, else what the browser asks for. */
export function language() {
  const chosen = remembered();
  if (chosen in languages) return chosen;
  return navigator.languages.find((tag) => tag.slice(0, 2) in languages)?.slice(0, 2) ?? "en";
}

function remembered() {
  try {
    return localStorage.getItem("language") ?? "";
  } catch {
    return ""; // a browser may forbid it
  }
}

export function remember(chosen) {
  try {
    localStorage.setItem("language", chosen);
  } catch {
    // then the next visit begins in the browser's language again
  }
}
