import assert from "node:assert/strict";
import { test } from "node:test";

const WORDS = {
  "Copied.": "Copié.",
  "Thought for {time}": "A réfléchi {time}",
  "Try again in {seconds} s.": "Réessayez dans {seconds} s.",
  "You have asked as many questions as one minute allows.":
    "Vous avez posé autant de questions qu’une minute le permet.",
  "The embedded model": "Le modèle intégré",
  "{who} took too long.": "{who} a mis trop de temps.",
};
const page = { getElementById: () => ({ textContent: JSON.stringify(WORDS) }) };
/** @type {any} */ (globalThis).document = page;
const { t, translated } = await import("../../static/chat/words.js");

test("a sentence is said in the reader's language, with what stands in it", () => {
  assert.equal(t("Copied."), "Copié.");
  assert.equal(t("Thought for {time}", { time: "2.1 s" }), "A réfléchi 2.1 s");
});

test("a sentence that the catalogue has not stays in English", () => {
  assert.equal(t("Waiting for {model}…", { model: "x" }), "Waiting for x…");
  assert.equal(translated("Nobody has translated this."), "Nobody has translated this.");
});

test("what is put in is not looked at again", () => {
  assert.equal(t("Thought for {time}", { time: "{time} $&" }), "A réfléchi {time} $&");
});

test("each sentence of a message of the server's is translated by itself", () => {
  assert.equal(
    translated("You have asked as many questions as one minute allows. Try again in 12 s."),
    "Vous avez posé autant de questions qu’une minute le permet. Réessayez dans 12 s.",
  );
  assert.equal(translated("Gemini took too long. Ask X."), "Gemini a mis trop de temps. Ask X.");
});

test("what stands in a sentence of the server's is translated, too, where the catalogue has it", () => {
  assert.equal(translated("The embedded model took too long."), "Le modèle intégré a mis trop de temps.");
});
