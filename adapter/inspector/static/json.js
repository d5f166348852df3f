// JSON on lines, each with its path, so that what was dropped or adapted can be marked in place.

import { h } from "./dom.js";

const MAX_ROWS = 2000;

// (value) to rows: { depth, path, name, text, kind, comma, isEnd }
function* rowsOf(value, path = "", depth = 0, name = null, comma = "") {
  const isList = Array.isArray(value);
  if (value === null || typeof value !== "object") {
    const kind = typeof value === "string" ? "value" : "value word";
    yield { depth, path, name, text: JSON.stringify(value), kind, comma };
    return;
  }
  const entries = isList ? value.map((entry, index) => [index, entry]) : Object.entries(value);
  const [open, close] = isList ? "[]" : "{}";
  if (!entries.length) {
    yield { depth, path, name, text: open + close, kind: "value", comma };
    return;
  }
  yield { depth, path, name, text: open, kind: "bracket", comma: "" };
  for (const [place, [entryName, entry]] of entries.entries()) {
    const at = isList ? `${path}[${entryName}]` : path ? `${path}.${entryName}` : entryName;
    const more = place < entries.length - 1 ? "," : "";
    yield* rowsOf(entry, at, depth + 1, isList ? null : entryName, more);
  }
  yield { depth, path, name: null, text: close, kind: "bracket", comma, isEnd: true };
}

const isUnder = (path, mark) =>
  path === mark || path.startsWith(`${mark}.`) || path.startsWith(`${mark}[`);

// Args: value, and marks by kind: { dropped: [paths], adapted: [paths] }.
export function jsonView(value, marks = {}) {
  const view = h("pre", { class: "json", tabindex: "0" });
  let count = 0;
  for (const row of rowsOf(value)) {
    if (++count > MAX_ROWS) {
      view.append(h("span", { class: "row faint" }, "… the rest is in the download"));
      break;
    }
    const kind = Object.keys(marks).find((name) => marks[name].some((mark) => isUnder(row.path, mark)));
    const isFirst = kind && !row.isEnd && marks[kind].includes(row.path);
    const line = h(
      "span",
      { class: `row ${kind ?? ""}`, "data-path": isFirst ? row.path : null },
      "  ".repeat(row.depth),
      row.name === null ? null : h("span", { class: "name" }, JSON.stringify(row.name)),
      row.name === null ? null : ": ",
      h("span", { class: row.kind }, row.text),
      row.comma,
      isFirst ? h("span", { class: `tag ${kind}` }, kind) : null,
      "\n",
    );
    line.style.setProperty("--depth", row.depth); // long lines go on where they begin
    view.append(line);
  }
  return view;
}

export function textView(text) {
  return h("pre", { class: "json", tabindex: "0" }, text);
}
