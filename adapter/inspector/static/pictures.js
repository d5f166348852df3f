// The pictures of a request: what happened when, and how fast the model spoke.

import { LEFT, axisLines, plot, timeAxis } from "./axis.js";
import { seconds, svg } from "./dom.js";

const LANE = 24;
const BAR = 14;

const kindOf = (type) =>
  type === "message" || type === "reasoning" ? type : "call";

function short(text, length = 22) {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

function lane(y, label) {
  return svg("text", { class: "label", x: 0, y: y + BAR - 3 }, short(label));
}

function bar(axis, y, from, to, kind, title) {
  const width = Math.max(axis.x(to) - axis.x(from), 2);
  const box = { class: `bar-${kind}`, x: axis.x(from), y, width, height: BAR, rx: 3 };
  return svg("rect", box, svg("title", {}, title));
}

function ticks(axis, y, moments, kind) {
  // Many moments on one pixel are one line.
  const places = [...new Set(moments.map((at) => Math.round(axis.x(at) * 2) / 2))];
  return places.map((x) =>
    svg("line", { class: `tick-${kind}`, x1: x, x2: x, y1: y, y2: y + BAR }),
  );
}

// Upstream calls, their pieces, our events and the items, each on a lane of one axis.
export function timeline(exchange) {
  const span = exchange.summary.seconds;
  const axis = timeAxis(span);
  const parts = [];
  let y = 6;
  for (const turn of exchange.turns) {
    const from = turn.at;
    const to = turn.ended ?? span;
    const state = turn.status ? `HTTP ${turn.status}` : (turn.error ?? "waiting");
    parts.push(lane(y, exchange.turns.length > 1 ? `Upstream call ${turn.number}` : "Upstream call"));
    parts.push(bar(axis, y, from, to, "upstream", `${state}, ${seconds(from)} to ${seconds(to)}`));
    y += LANE;
  }
  const chunks = exchange.log.filter((entry) => entry.kind === "chunk").map((entry) => entry.at);
  const sent = exchange.log.filter((entry) => entry.kind === "sent" || entry.kind === "document");
  parts.push(lane(y, "Upstream chunks"), ...ticks(axis, y, chunks, "upstream"));
  y += LANE;
  parts.push(lane(y, "Our events"), ...ticks(axis, y, sent.map((entry) => entry.at), "event"));
  y += LANE;
  for (const item of exchange.items) {
    const to = item.to ?? span;
    const name = item.name ? `${item.type} ${item.name}` : item.type;
    const title = `${name}, ${seconds(item.from)} to ${seconds(to)}`;
    parts.push(lane(y, name), bar(axis, y, item.from, to, kindOf(item.type), title));
    y += LANE;
  }
  const first = exchange.firstToken;
  const mark = [];
  if (first !== null && first !== undefined) {
    mark.push(svg("line", { class: "first", x1: axis.x(first), x2: axis.x(first), y1: 0, y2: y }));
  }
  return plot(y + 20, "What happened when", ...axisLines(axis, 0, y), ...parts, ...mark);
}

const POINTS = 160;
const TOP = 20;

// (moments, span) to a rate at each of so many points. Each moment counts most where it is and less
// beside it, over a window that holds several, so that the line is calm.
function rates(moments, span) {
  const gaps = moments.slice(1).map((at, place) => at - moments[place]);
  const typical = gaps.length ? gaps.toSorted((a, b) => a - b)[gaps.length >> 1] : span;
  const reach = Math.min(Math.max(span / 40, typical * 4), span / 5);
  const found = new Array(POINTS + 1).fill(0);
  const begin = Math.ceil((moments[0] / span) * POINTS); // before the first there is nothing
  for (const moment of moments) {
    const from = Math.max(Math.ceil(((moment - reach) / span) * POINTS), begin);
    const to = Math.min(Math.floor(((moment + reach) / span) * POINTS), POINTS);
    for (let place = from; place <= to; place++) {
      const distance = Math.abs((place / POINTS) * span - moment);
      found[place] += Math.max(1 - distance / reach, 0) / reach;
    }
  }
  return found;
}

// Delta events per second over the time of the request.
export function speed(exchange) {
  const bottom = 140;
  const span = Math.max(exchange.summary.seconds, 0.001);
  const axis = timeAxis(span, LEFT);
  const found = rates(exchange.deltas, span);
  const most = Math.max(...found, 1);
  const y = (rate) => TOP + (bottom - TOP) * (1 - rate / most);
  const points = found.map((rate, place) => `${axis.x((place / POINTS) * span)},${y(rate)}`);
  const first = exchange.firstToken;
  return plot(
    bottom + 20,
    `First token after ${seconds(first)}; at most ${Math.round(most)} deltas per second`,
    ...axisLines(axis, TOP, bottom),
    svg("text", { class: "label", x: 0, y: TOP + 10 }, "Deltas per second"),
    svg("text", { x: 0, y: TOP + 26 }, `at most ${Math.round(most)}`),
    svg("polygon", { class: "area", points: `${axis.left},${bottom} ${points.join(" ")} ${axis.right},${bottom}` }),
    svg("line", { class: "first", x1: axis.x(first), x2: axis.x(first), y1: TOP - 6, y2: bottom }),
    svg("text", firstLabel(axis, first), `first token ${seconds(first)}`),
  );
}

function firstLabel(axis, first) {
  const x = axis.x(first);
  const isRight = x > (axis.left + axis.right) / 2;
  return { class: "first-label", x: isRight ? x - 6 : x + 6, y: 12, "text-anchor": isRight ? "end" : "start" };
}
