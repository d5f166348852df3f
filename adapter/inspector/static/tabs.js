// Tabs as the ARIA practices have them: arrow keys move, the panel belongs to its tab.

import { h } from "./dom.js";

// Args: names, the chosen one, and what to call when another is chosen.
export function tabs(names, chosen, choose) {
  const buttons = names.map((name) =>
    h(
      "button",
      {
        type: "button",
        role: "tab",
        id: `tab-${name}`,
        "aria-controls": "panel",
        "aria-selected": String(name === chosen),
        tabindex: name === chosen ? "0" : "-1",
        onclick: () => choose(name),
      },
      name,
    ),
  );
  const move = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const place = (names.indexOf(chosen) + step + names.length) % names.length;
    event.preventDefault();
    choose(names[place]);
    document.getElementById(`tab-${names[place]}`)?.focus();
  };
  return h("div", { role: "tablist", "aria-label": "Parts of the request", onkeydown: move }, ...buttons);
}
