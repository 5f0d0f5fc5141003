/**
 * Tables: a row, a row of dashes, rows.
 */

/** A table with more columns than this is no table to read: its lines stay text. */
const MOST_COLUMNS = 64;

/** The cells of a row. @param {string} line @returns {string[]} */
export function cellsOf(line) {
  const text = line.trim();
  const cells = [];
  let cell = "";
  for (let at = text.startsWith("|") ? 1 : 0; at < text.length; at++) {
    if (text[at] === "\\" && text[at + 1] === "|") {
      cell += "|";
      at += 1;
    } else if (text[at] === "|") {
      cells.push(cell.trim());
      cell = "";
    } else cell += text[at];
  }
  if (cell.trim() || !text.endsWith("|")) cells.push(cell.trim());
  return cells;
}

/**
 * How the columns are aligned, by the line under the head; null where it is no such line.
 * @param {string} line
 * @returns {string[] | null}
 */
export function alignmentsOf(line) {
  if (line.length > 4000 || !line.includes("-") || !/^[\s|:-]+$/.test(line)) return null;
  const found = [];
  for (const cell of cellsOf(line)) {
    if (!/^:?-+:?$/.test(cell)) return null;
    const [left, right] = [cell.startsWith(":"), cell.endsWith(":")];
    found.push(left && right ? "center" : right ? "end" : left ? "start" : "");
  }
  return found.length ? found : null;
}

/**
 * Whether a table begins with these two lines: its alignments, or null.
 * @param {string} head
 * @param {string | undefined} under
 */
export function tableOf(head, under) {
  if (under === undefined || !head.includes("|")) return null;
  const aligned = alignmentsOf(under);
  return aligned && aligned.length <= MOST_COLUMNS && cellsOf(head).length === aligned.length ? aligned : null;
}

/** The row with as many cells as there are columns. @param {string} line @param {number} columns */
export function rowOf(line, columns) {
  const cells = cellsOf(line).slice(0, columns);
  while (cells.length < columns) cells.push("");
  return cells;
}
