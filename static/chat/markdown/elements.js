/**
 * Converts blocks to elements, the only ones that a model's text can create. Only changed texts are parsed.
 */

import { t } from "../words.js";
import { breakable } from "./delimiters.js";

/** @typedef {import("./blocks.js").Block} Block */
/** @typedef {import("./delimiters.js").Node} Node */

/**
 * @typedef {{tag: string, attributes?: Record<string, string>, kids?: (string | Shape)[], text?: string, open?: boolean,
 *            whole?: "code" | "math", language?: string}} Shape
 *   an element: `kids` in it, or `text` with Markdown inside (`open` where it goes on); `whole` once nothing is to come
 */

/** A message's headings begin below the page's own. */
const HEADINGS = ["h2", "h3", "h4", "h5", "h6", "h6"];
/** The direction of lines is that of the first letters. A block inside of another has its own, unless the other begins
 * with it: a list's marks, a quotation's bar and a table's columns stand where their text begins. */
const AUTO = { dir: "auto" };
/** Code's is the same everywhere, and says nothing of the text around it. */
const CODE = { dir: "ltr" };
/** Code is cut at the first line that ends after so many characters. */
const PIECE = 4_000;

/** The buttons of a block of code. @type {Shape[]} */
const BUTTONS = [
  {
    tag: "button",
    attributes: { type: "button", class: "quiet", "data-do": "wrap code", "aria-pressed": "false" },
    kids: [t("Wrap")],
  },
  { tag: "button", attributes: { type: "button", class: "quiet", "data-do": "copy code" }, kids: [t("Copy")] },
];

/** @typedef {Record<string, string>} Attributes */

/** @param {Block[]} blocks @param {boolean} open whether the last of them goes on
 * @param {number[]} outline the levels of the headings that these stand below, which becomes that of their end
 * @param {Attributes} [first] the direction of the first of them
 * @returns {Shape[]} */
export function shapesOf(blocks, open, outline, first = AUTO) {
  return blocks.map((block, at) => shapeOf(block, open && at === blocks.length - 1, outline, at ? AUTO : first));
}

/** @param {Block[]} blocks @param {boolean} open @param {number[]} outline */
const shapesIn = (blocks, open, outline) => shapesOf(blocks, open, outline, {});

/** @param {Block} block @param {boolean} open @param {number[]} outline @param {Attributes} dir @returns {Shape} */
function shapeOf(block, open, outline, dir) {
  switch (block.type) {
    case "paragraph":
      return { tag: "p", attributes: dir, text: block.text, open };
    case "heading":
      // Screen readers would announce an empty heading.
      if (!block.text) return { tag: "p", attributes: dir, text: open ? "" : "#".repeat(block.level) };
      return headingOf(block, open, outline, dir);
    case "plain":
      return { tag: "pre", attributes: { class: "plain", ...dir }, kids: breakable([block.text]) };
    case "rule":
      return { tag: "hr" };
    case "code":
      return codeOf(block, open);
    case "math":
      return { tag: "span", attributes: { class: "math block" }, kids: [block.text], whole: "math" };
    case "quote":
      return { tag: "blockquote", attributes: dir, kids: shapesIn(block.blocks, open, outline) };
    case "note":
      return {
        tag: "div",
        attributes: { class: "footnote", ...dir },
        kids: [{ tag: "sup", attributes: CODE, kids: [block.label] }, ...shapesIn(block.blocks, open, outline)],
      };
    case "list":
      return listOf(block, open, outline, dir);
    case "table":
      return tableOf(block, open, dir);
  }
}

/** It looks as large as it is written, and its level is that of its place: an answer may begin with a small heading,
 * or leave a level out. @param {Extract<Block, {type: "heading"}>} block @param {boolean} open @param {number[]} outline
 * @param {Attributes} dir @returns {Shape} */
function headingOf({ level, text }, open, outline, dir) {
  while (outline.length && outline[outline.length - 1] >= level) outline.pop();
  outline.push(level);
  const tag = HEADINGS[level - 1];
  const own = String(outline.length + 1);
  return { tag, attributes: tag === `h${own}` ? dir : { ...dir, "aria-level": own }, text, open };
}

/** @param {Extract<Block, {type: "code"}>} block @param {boolean} open @returns {Shape} */
function codeOf({ language, text, closed }, open) {
  const isWhole = closed || !open;
  return {
    tag: "figure",
    attributes: { "data-language": language || "text", ...CODE },
    kids: [
      { tag: "figcaption", kids: [language || "text", ...BUTTONS] },
      {
        tag: "pre",
        attributes: {
          tabindex: "0",
          "aria-label": t("Code: {language}", { language: language || t("text") }),
          role: "region",
        },
        kids: [{ tag: "code", kids: linesOf(text), whole: isWhole ? "code" : undefined, language }],
      },
    ],
  };
}

/** Long code in pieces of whole lines, each with a layout of its own: what grows, and what gets its colours, leaves the
 * others as they are. @param {string} text @returns {(string | Shape)[]} */
function linesOf(text) {
  if (text.length <= PIECE) return text ? [text] : [];
  /** @type {Shape[]} */
  const pieces = [];
  for (let from = 0, to = 0; from < text.length; from = to) {
    to = text.indexOf("\n", from + PIECE) + 1 || text.length;
    pieces.push({ tag: "span", attributes: { class: "lines" }, kids: [text.slice(from, to)] });
  }
  return pieces;
}

/** @param {Extract<Block, {type: "list"}>} block @param {boolean} open @param {number[]} outline
 * @param {Attributes} dir @returns {Shape} */
function listOf({ start, loose, items }, open, outline, dir) {
  const attributes = {
    ...dir,
    ...(loose ? { class: "loose" } : {}),
    ...(start > 1 || start === 0 ? { start: String(start) } : {}),
  };
  const last = items.length - 1;
  return {
    tag: start < 0 ? "ul" : "ol",
    attributes,
    kids: items.map(({ task, blocks }, at) => {
      const kids = shapesIn(blocks, open && at === last, outline);
      return task === null
        ? { tag: "li", kids }
        : { tag: "li", attributes: { class: "task" }, kids: [box(task), ...kids] };
    }),
  };
}

/** @param {boolean} isDone @returns {Shape} */
function box(isDone) {
  /** @type {Record<string, string>} */
  const state = isDone ? { checked: "" } : {};
  return {
    tag: "input",
    attributes: { type: "checkbox", disabled: "", "aria-label": isDone ? t("Done") : t("To do"), ...state },
  };
}

/** @param {Extract<Block, {type: "table"}>} block @param {boolean} open @param {Attributes} dir @returns {Shape} */
function tableOf({ align, rows }, open, dir) {
  const [head, ...body] = rows;
  const attributesOf = (/** @type {string} */ side) =>
    /** @type {Attributes} */ (side ? { class: `align-${side}` } : {});
  const row = (/** @type {string[]} */ cells, /** @type {string} */ tag, /** @type {boolean} */ isLast) => ({
    tag: "tr",
    kids: cells.map((text, at) => ({
      tag,
      attributes: attributesOf(align[at]),
      text,
      open: isLast && at === cells.length - 1,
    })),
  });
  return {
    tag: "div",
    attributes: { class: "table", tabindex: "0", role: "region", "aria-label": t("Table"), ...dir },
    kids: [
      {
        tag: "table",
        kids: [
          { tag: "thead", kids: [row(head, "th", false)] },
          { tag: "tbody", kids: body.map((cells, at) => row(cells, "td", open && at === body.length - 1)) },
        ],
      },
    ],
  };
}
