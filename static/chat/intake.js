/**
 * Files that users select, paste or drop.
 */

/**
 * The files of a clipboard: none if a text was copied with a picture of it, as office programs do; the first one if a
 * picture is there in several formats.
 * @param {DataTransfer | null} data
 * @returns {File[]}
 */
export function pasted(data) {
  const files = [...(data?.files ?? [])];
  const text = data?.getData("text/plain").trim() ?? "";
  const isText = text && !files.some(({ name }) => text.includes(name));
  if (isText) return [];
  const names = files.map(({ name }) => name.replace(/\.[^.]*$/, ""));
  return files.filter(({ type }, at) => {
    const twin = names.indexOf(names[at]);
    return twin === at || files[twin].type === type;
  });
}

/** Whether files are dragged, not a text or a link. @param {DragEvent} event */
const hasFiles = (event) => event.dataTransfer?.types.includes("Files") ?? false;

/**
 * Reports files from anywhere on the page.
 * @param {HTMLInputElement} input
 * @param {(files: File[]) => void} take
 */
export function listenForFiles(input, take) {
  input.addEventListener("change", () => {
    const chosen = [...(input.files ?? [])];
    input.value = ""; // the same file may be chosen again
    take(chosen);
  });
  document.addEventListener("paste", (event) => {
    const found = pasted(event.clipboardData);
    if (!found.length) return;
    event.preventDefault();
    take(found);
  });
  document.addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    take([...(event.dataTransfer?.files ?? [])]);
  });
}
