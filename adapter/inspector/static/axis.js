// The time axis that all pictures share: seconds from the left to the right, with round numbers.

import { h, seconds, svg } from "./dom.js";

export const WIDTH = 900;
export const LEFT = 150;
export const RIGHT = 12;

const STEPS = [1, 2, 5];

function roundStep(span, count) {
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  return (STEPS.find((step) => step * power >= rough) ?? 10) * power;
}

export function timeAxis(span, left = LEFT) {
  const whole = Math.max(span, 0.001);
  const width = WIDTH - left - RIGHT;
  const x = (at) => left + (Math.min(at, whole) / whole) * width;
  const step = roundStep(whole, 6);
  const ticks = [];
  for (let at = 0; at <= whole + step / 1000; at += step) ticks.push(at);
  return { x, ticks, left, right: WIDTH - RIGHT };
}

export function axisLines(axis, top, bottom) {
  return axis.ticks.flatMap((at) => [
    svg("line", { class: "grid", x1: axis.x(at), x2: axis.x(at), y1: top, y2: bottom }),
    svg("text", { x: axis.x(at), y: bottom + 14, "text-anchor": "middle" }, at ? seconds(at) : "0"),
  ]);
}

export function plot(height, title, ...children) {
  const drawn = svg(
    "svg",
    { class: "plot", viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": title },
    ...children,
  );
  return h("div", { class: "picture" }, drawn);
}
