// Puts the parts together: the address chooses the view, the feed keeps it up to date.

import * as api from "./api.js";
import { Detail } from "./detail.js";
import { byId, h, say } from "./dom.js";
import { List } from "./list.js";
import { Playground } from "./playground.js";

const RETRY_MS = 1500;

const main = byId("main");
const list = new List();
const detail = new Detail(main, { send, edit });
const playground = new Playground(main, { send });
let awaited = null; // the request that was sent from here, until it is in the list

function edit(body) {
  playground.load(body);
  if (location.hash === "#/playground") playground.show();
  else location.hash = "#/playground";
}

async function send(body, { path, authorization } = {}) {
  const requestId = `ui-${crypto.randomUUID()}`;
  awaited = requestId;
  try {
    await api.send(body, { path, requestId, authorization });
  } catch (error) {
    say(`It could not be sent: ${error.message}`);
  }
}

function showAwaited() {
  const found = awaited && list.find(awaited);
  if (!found) return;
  awaited = null;
  location.hash = `#/requests/${found.id}`;
}

function welcome() {
  main.replaceChildren(
    h("h2", {}, "Nothing chosen"),
    h("p", { class: "faint" }, "Requests show up on the left as they come. Choose one, or send one from the playground."),
  );
}

function route() {
  const [, view, id] = location.hash.split("/");
  list.choose(view === "requests" ? id : null);
  if (view === "requests" && id) {
    detail.show(id);
    return;
  }
  detail.close();
  if (view === "playground") playground.show();
  else welcome();
}

function tell(name, data) {
  if (name === "all") {
    list.replace(data);
    if (detail.id !== null) detail.refresh();
  } else if (name === "gone") {
    list.drop(data.id);
  } else {
    list.put(data);
    if (data.id === detail.id) detail.refresh();
  }
  showAwaited();
}

function live(text, kind) {
  byId("live").textContent = text;
  byId("live").className = `live ${kind}`;
}

async function askForKey(wasWrong) {
  const dialog = byId("key");
  byId("key-wrong").hidden = !wasWrong;
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  api.key.set(byId("key-value").value.trim());
  byId("key-value").value = "";
}

async function follow() {
  for (;;) {
    try {
      const { needs_key: needsKey } = await api.about();
      if (needsKey && !api.key.get()) await askForKey(false);
      await api.feed((name, data) => {
        live("Live", "on");
        tell(name, data);
      });
      live("Not connected", "off");
    } catch (error) {
      live(error instanceof api.Refused ? error.message : "Not connected", "off");
      if (error.status === 401) {
        api.key.forget();
        await askForKey(true);
        continue;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

byId("clear").addEventListener("click", async () => {
  await api.forgetAll().catch((error) => say(error.message));
  if (detail.id !== null) location.hash = "#/";
});
window.addEventListener("hashchange", () => {
  route();
  main.focus({ preventScroll: true });
});
route();
follow();
