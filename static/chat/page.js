/**
 * Wires the page: creates the objects with their elements, and connects their callbacks.
 */
import { Announcer } from "./announcer.js";
import { AnswerLoader } from "./answer_loader.js";
import { CameraLoader } from "./camera/loader.js";
import { Chat } from "./chat.js";
import { clock } from "./clock.js";
import { Composer } from "./composer.js";
import { app, byId, csrf, failed, problem, template } from "./document.js";
import { listenForFiles } from "./intake.js";
import { Later } from "./later.js";
import { Library } from "./library.js";
import { Live } from "./live.js";
import { ONLY_READ, UNSEEN } from "./messages.js";
import { PhotosLoader } from "./photos_loader.js";
import { listenForPrint } from "./print_keys.js";
import { QueueLoader } from "./queue_loader.js";
import { Scroll } from "./scroll.js";
import { Sender } from "./sender.js";
import { Session } from "./session.js";
import { suggest } from "./suggestion.js";
import { listenForVerbs } from "./verbs.js";
import { View } from "./view.js";
import { VoiceLoader } from "./voice/loader.js";

const session = new Session({ fetch: (...request) => fetch(...request), clock, csrf });
const announcer = new Announcer(byId("announcer"));
const said = (/** @type {string} */ sentence) => announcer.say(sentence);
const answers = new AnswerLoader();
const countdown = new Later("countdown", ({ Countdown }) => new Countdown(clock));
const scroll = new Scroll(byId("viewport"), byId("latest"));
const view = new View({
  list: byId("transcript"),
  template: template("message"),
  clock,
  painted(messages) {
    scroll.keep();
    if (messages.some(({ photos: asked }) => asked.length)) photo.use((shown) => shown.painted(messages));
    voice.painted(messages);
  },
  articles: {
    answers,
    showPhoto: (image, shown) => photo.use((loader) => loader.show(image, shown)),
    extras: [
      (element, { facts }) =>
        (facts.feedback || element.querySelector("[data-do=thumb][aria-pressed=true]")) &&
        feedback.use((it) => it.show(element, facts)),
      (element, shown) =>
        shown.error?.message.includes("ry again in ") && countdown.use((it) => it.show(element, shown)),
    ],
  },
});
const stored = (/** @type {string[]} */ ids) => chat.draft.keepPhotos(ids);
const photos = new PhotosLoader(byId("previews"), session, { problem, changed: checkModel, stored });
const photo = new Later(
  "photos-shown",
  ({ PhotoLoader }) =>
    new PhotoLoader(byId("transcript"), byId("photo"), { session, photos, csrf, ask: () => composer.focus() }),
);
const camera = new CameraLoader(byId("camera"), {
  photos,
  ask: (text) => voice.hush() || (composer.busy ? sender.stop() : void sender.send(text)),
  changed: checkModel,
  said,
});
const voice = new VoiceLoader({
  byId,
  ask(text, sound) {
    sound ? composer.cancelEdit() : composer.fill(text); // should it not be sent, nothing is lost
    void sender.send(text, undefined, sound);
  },
  camera,
  isBusy: () => composer.busy,
  stop: () => sender.stop(),
  problem,
  said,
});
const settings = new Later("settings", ({ Settings }) => new Settings(byId("settings"), session));
const library = new Library({ session, clock, scroll, opened: open });
const composer = new Composer(/** @type {HTMLFormElement} */ (byId("composer")), {
  send: (text) => void sender.send(text),
  queue: (text) => sender.queue(text),
  stop: () => sender.stop(),
  leave: () => sender.leave(),
  typed(text) {
    chat.draft.type(text);
    void answers.load(); // it is there before the answer is
  },
});
const chat = new Chat({
  session,
  clock,
  storage: localStorage,
  instruction: () => byId("instruction").textContent ?? "",
  told: {
    changed: () => view.show(chat.transcript),
    began() {
      composer.busy = true;
      library.answering(true);
      announcer.began();
    },
    opened(id, title) {
      library.added(id, title);
      live.start();
    },
    noticed: said,
    ended(end) {
      composer.busy = false;
      library.answering(false);
      announcer.ended(end);
      live.ended();
    },
  },
});

const feedback = new Later("feedback", ({ Feedback }) => new Feedback(session, chat, { said }));
const queue = new QueueLoader(byId("queue"), { session, chat, composer, photos, camera, said, problem });
const live = new Live({ session, clock, chat, library, heard: (type) => queue.heard(type) });

/** Shows how the selected model uses the photos, before sending. */
function checkModel() {
  const seen = photos.count || camera.sees ? composer.photos : "";
  byId("note").textContent = seen === "read" ? ONLY_READ : "";
  if (seen === "no") problem(UNSEEN);
  else if (byId("problem").textContent === UNSEEN) problem(""); // what else is said stays until something is done
  camera.update();
}

const sender = new Sender({
  ...{ session, chat, composer, photos, camera, scroll, checkModel, problem, failed },
  queue: (text) => queue.add(text),
});

/** What a button does by its `data-do`, or a form by its `data-submit`.
 * @type {Record<string, (control: HTMLElement) => unknown>} */
const verbs = {
  ...library.verbs,
  "open-settings": async () => (await settings.get()).open(),
  "voice-wishes": () => voice.choose(),
  "show-photo": async (button) => (await photo.get()).open(button),
  "toggle-camera": () => camera.toggle(),
  thumb: async (button) => (await feedback.get()).thumb(button),
  suggestion: (button) =>
    suggest(button, {
      composer,
      send: (text) => sender.send(text),
      files: byId("files"),
      hasPhoto: photos.count > 0 || camera.sees,
    }),
  reason: async (form) => (await feedback.get()).reason(/** @type {HTMLFormElement} */ (form)),
};
const told = { send: (/** @type {string} */ text) => void sender.send(text, false), said };
const actions = new Later("actions", ({ Actions }) => new Actions(chat, composer, told));

const listed = async (/** @type {HTMLElement} */ control) => (await actions.get()).take(control);

listenForVerbs((control, verb) => (verbs[verb] ?? listed)(control), csrf);
listenForFiles(/** @type {HTMLInputElement} */ (byId("files")), (files) => {
  problem("");
  void photos.add(files);
});
listenForPrint(byId("transcript"), async () => (await photo.get()).loadAll());
byId("composer").addEventListener("change", checkModel);
byId("latest").addEventListener("click", () => composer.refocus());

/** Shows a chat with its draft. @param {string} id @param {Stored[]} messages @param {number} queued how many wait */
function open(id, messages, queued) {
  composer.cancelEdit();
  photos.leave(chat.draft);
  chat.open(id, messages);
  sender.leave();
  problem("");
  queue.opened(queued);
  composer.fill(chat.draft.read().text);
  photos.restore(chat.draft);
  composer.refocus();
}

const loaded = app.dataset.conversation ?? "";
const typed = composer.text; // by the reader or the browser, before this script ran
library.began(loaded);
open(loaded, JSON.parse(byId("messages").textContent ?? "[]"), Number(app.dataset.queued));
if (typed) composer.fill(typed);
composer.remember(localStorage);
if (app.dataset.feed) addEventListener("load", () => live.start(app.dataset.feed));
addEventListener("load", () => new Later("installation", ({ install }) => install(session)).use(() => {}));
if (location.hash === "#api-keys") settings.use((opened) => opened.openKeys()); // the account's page leads here
