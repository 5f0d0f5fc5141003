/**
 * Translations of the page's sentences, which are written in English where they are used. The server includes the
 * translations in the page (chat/views/words.py), so that no module waits for them.
 *
 *     t("Thought for {time}", { time: "2.1 s" })       a sentence of the page
 *     translated("Too many requests. Try again in 4 s.")      one that the server has sent
 */

/** English → the page's language; empty in English, and without a page. @type {Record<string, string>} */
const WORDS = JSON.parse(globalThis.document?.getElementById?.("words")?.textContent || "{}");

/** Sentences with something in them, as what they look like: "Try again in {seconds} s." → /^Try again in (.+?) s\.$/ */
const SHAPES = Object.keys(WORDS)
  .filter((sentence) => sentence.includes("{"))
  .map((sentence) => ({ sentence, shape: shapeOf(sentence) }));

/**
 * Translates a sentence of the page.
 * @param {string} sentence in English, as it is in the catalogue: a literal, or several with `+` between them
 * @param {Record<string, string | number>} [values] what stands in the place of each {name}
 */
export function t(sentence, values = {}) {
  const found = WORDS[sentence] || sentence;
  return found.replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));
}

/** Translates a server's message, each of its sentences that the catalogue has. @param {string} message */
export const translated = (message) =>
  message
    .split(/(?<=[.!?] )/)
    .map(sentenceOf)
    .join("");

/** @param {string} sentence */
function sentenceOf(sentence) {
  const said = sentence.trim();
  return said === sentence ? known(said) : `${known(said)} `;
}

/** @param {string} sentence @returns {string} */
function known(sentence) {
  if (WORDS[sentence]) return WORDS[sentence];
  for (const { sentence: pattern, shape } of SHAPES) {
    const found = shape.exec(sentence);
    if (!found) continue;
    const values = Object.entries(found.groups ?? {}).map(([name, value]) => [name, known(value)]);
    return t(pattern, Object.fromEntries(values));
  }
  return sentence;
}

/** @param {string} sentence */
function shapeOf(sentence) {
  const parts = sentence.split(/\{(\w+)\}/);
  const literal = (/** @type {string} */ text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const shape = parts.map((part, at) => (at % 2 ? `(?<${part}>.+?)` : literal(part))).join("");
  return new RegExp(`^${shape}$`, "s");
}
