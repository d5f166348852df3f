// Upstream chunks on the left, the events that they became on the right, the time between them.

import { h } from "./dom.js";
import { parse } from "./exchange.js";
import { parseEvents } from "./sse.js";

const PAGE = 300; // rows that are made at one time

// Rows: what came from upstream, and what was sent before the next piece of it came.
function rowsOf(log) {
  const rows = [];
  for (const entry of log) {
    const last = rows.at(-1);
    if (entry.kind === "chat" || entry.kind === "answer") rows.push({ at: entry.at, mark: entry });
    else if (entry.kind === "chunk") rows.push({ at: entry.at, chunk: entry, sent: [] });
    else if (last?.sent) last.sent.push(entry);
    else rows.push({ at: entry.at, chunk: null, sent: [entry] });
  }
  return rows;
}

function pretty(text) {
  const value = parse(text);
  return value === null ? text : JSON.stringify(value, null, 2);
}

function piece(kind, title, gist, text) {
  return h(
    "details",
    { class: kind },
    h("summary", {}, title ? h("b", {}, title) : null, title && gist ? " " : null, gist),
    h("pre", {}, text),
  );
}

// What a chunk says, in short: its deltas, without what all chunks have.
function gistOf(data) {
  const value = parse(data);
  const choice = value?.choices?.[0];
  if (!choice) return value?.usage ? `usage ${JSON.stringify(value.usage)}` : data;
  const delta = choice.delta ?? choice.message ?? {};
  const said = Object.fromEntries(Object.entries(delta).filter(([, found]) => found !== null));
  const end = choice.finish_reason ? ` finish_reason ${choice.finish_reason}` : "";
  return JSON.stringify(said) + end;
}

function chunkView(chunk) {
  if (!chunk) return null;
  const found = parseEvents(chunk.text);
  const gist = found.length ? found.map((event) => gistOf(event.data)).join("  ") : gistOf(chunk.text);
  return piece("upstream", null, gist, found.length ? chunk.text : pretty(chunk.text));
}

function eventViews(entry) {
  if (entry.kind === "document") return [piece("event", "document", entry.text, pretty(entry.text))];
  return entry.events.map(({ data, value }) => {
    const type = value?.type?.replace(/^response\./, "") ?? data;
    const gist = value?.delta ?? value?.text ?? value?.item?.type ?? "";
    return piece("event", type, typeof gist === "string" ? gist : "", pretty(data));
  });
}

function markView({ kind, turn, status, path }) {
  const text = kind === "chat" ? `Call ${turn}: POST ${path}` : `Call ${turn} answered: HTTP ${status}`;
  return h("div", { class: "mark" }, text);
}

function rowView(row) {
  if (row.mark) return [markView(row.mark)];
  return [
    h("div", { class: "piece upstream" }, chunkView(row.chunk)),
    h("div", { class: "time" }, `${(row.at * 1000).toFixed(1)} ms`),
    h("div", { class: "piece event" }, ...row.sent.flatMap(eventViews)),
  ];
}

export function stream(exchange, limit, showMore) {
  const rows = rowsOf(exchange.log);
  const shown = rows.slice(0, limit);
  return [
    h(
      "section",
      { class: "card stream", "aria-label": "Chunks and events" },
      h("div", { class: "column" }, "Upstream chunks, as they came"),
      h("div", { class: "column" }, "Time"),
      h("div", { class: "column" }, "Events that they became"),
      ...shown.flatMap(rowView),
    ),
    rows.length > limit
      ? h("button", { type: "button", onclick: showMore }, `Show ${Math.min(PAGE, rows.length - limit)} more of ${rows.length}`)
      : null,
  ];
}

stream.PAGE = PAGE;
