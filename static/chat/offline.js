/**
 * The offline page: the draft can be read and edited; when the network is back, the requested page is loaded.
 */
import { Draft } from "./draft.js";

const question = /** @type {HTMLTextAreaElement} */ (document.getElementById("question"));
const conversation = /^\/c\/([^/]+)/.exec(location.pathname)?.[1] ?? "";
const draft = new Draft(localStorage, conversation);

question.value = draft.read().text;
question.addEventListener("input", () => draft.type(question.value));
document.getElementById("again")?.addEventListener("click", () => location.reload());
addEventListener("online", () => location.reload());
