// The request that came beside the chat requests that it became.

import { h } from "./dom.js";
import { parse } from "./exchange.js";
import { jsonView, textView } from "./json.js";

function marksOf(turn) {
  return { dropped: turn?.dropped ?? [], adapted: turn?.adapted ?? [] };
}

// Shows where something stands in the request beside; what was left out of a history is not there.
function find(path) {
  const row = document.querySelector(`.json .row[data-path="${CSS.escape(path)}"]`);
  row?.scrollIntoView({ block: "center" });
}

function markList(marks) {
  const rows = ["dropped", "adapted"].flatMap((kind) =>
    marks[kind].map((path) => {
      const onclick = () => find(path);
      return h("li", {}, h("button", { type: "button", class: kind, onclick }, `${kind}: `, h("code", {}, path)));
    }),
  );
  return rows.length ? h("ul", { class: "marks", "aria-label": "What was changed" }, ...rows) : null;
}

const body = (text, marks) => {
  const value = parse(text);
  return value === null ? textView(text) : jsonView(value, marks);
};

function refusal(turn) {
  if (turn.status === null || turn.status < 400) return null;
  return h(
    "section",
    { class: "card" },
    h("h3", {}, `The upstream refused call ${turn.number}`, h("span", { class: "faint" }, `HTTP ${turn.status}`)),
    body(turn.said),
  );
}

function chat(turn, count) {
  const title = count > 1 ? `Chat request ${turn.number}` : "Chat request";
  const shortened = turn.truncated ? `, ${Math.round(turn.truncated * 100)} % left out` : "";
  return h(
    "section",
    { class: "card" },
    h("h3", {}, title, h("span", { class: "faint" }, `POST ${turn.path}${shortened}`)),
    body(turn.text),
  );
}

export function translation(exchange) {
  const marks = marksOf(exchange.turns.at(-1));
  const { request, turns, summary } = exchange;
  const came = summary.way === "websocket" ? "WebSocket" : `${summary.method} ${summary.path}`;
  const notYet = turns.length ? null : h("p", { class: "faint" }, "Nothing was asked upstream.");
  return [
    h(
      "div",
      { class: "pair" },
      h(
        "section",
        { class: "card" },
        h("h3", {}, "Responses request", h("span", { class: "faint" }, came)),
        markList(marks),
        request ? body(request.text, marks) : h("p", { class: "faint" }, "Its body was not read."),
      ),
      h("div", {}, ...turns.flatMap((turn) => [chat(turn, turns.length), refusal(turn)]), notYet),
    ),
  ];
}
