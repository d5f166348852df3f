// Elements from names, attributes and children: text stays text, whatever is in it.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export function h(name, attributes, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function svg(name, attributes, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

export const byId = (id) => document.getElementById(id);

let quiet = 0;

export function say(text) {
  const toast = byId("said");
  toast.textContent = text;
  toast.classList.add("on");
  clearTimeout(quiet);
  quiet = setTimeout(() => toast.classList.remove("on"), 2500);
}

export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    say(`${what} copied`);
  } catch {
    say("The browser does not let pages copy here");
  }
}

export function save(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export const seconds = (value) => {
  if (value === null || value === undefined) return "–";
  const [shown, unit] = value < 1 ? [value * 1000, "ms"] : [value, "s"];
  return `${Number(shown.toPrecision(3))} ${unit}`;
};
