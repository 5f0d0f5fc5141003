/**
 * The form at the bottom: text, photos and model; sends a message, or stops the answer.
 */

export class Composer {
  #form;
  #question;
  #send;
  #stop;
  #told;
  #busy = false;
  /** The key of the question that is edited; "" for a new one. */
  editing = "";
  /** @type {Element | null} the control that was clicked last */
  #clicked = null;
  #before = "";

  /**
   * @param {HTMLFormElement} form
   * @param {Record<"send" | "queue" | "typed", (text: string) => void> & Record<"stop" | "leave", () => void>} told
   *   `queue`: to send later; `leave`: what waits to be sent is not what stands here any more
   */
  constructor(form, told) {
    this.#form = form;
    this.#told = told;
    this.#question = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem("question"));
    this.#send = /** @type {HTMLButtonElement} */ (form.querySelector("[data-part=send]"));
    this.#stop = /** @type {HTMLButtonElement} */ (form.querySelector("[data-part=stop]"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    form.addEventListener("click", (event) => this.#takeOnce(event), true);
    this.#stop.addEventListener("click", () => told.stop());
    this.#question.addEventListener("keydown", (event) => this.#pressed(event));
    this.#question.addEventListener("input", () => this.#typed());
  }

  /** Selects the last selected model, if it is offered, and stores later selections. @param {Storage} storage */
  remember(storage) {
    const picker = this.#picker;
    if (!(picker instanceof HTMLSelectElement)) return;
    try {
      const last = storage.getItem("model");
      if ([...picker.options].some(({ value }) => value === last)) picker.value = String(last);
      picker.addEventListener("change", () => storage.setItem("model", picker.value));
    } catch {
      // Without storage the selection is not kept.
    }
  }

  /** The selected model; "" if the server decides. */
  get model() {
    return this.#picker?.value ?? "";
  }

  /** How the selected model uses photos: "seen", "read" (the text in it) or "no". */
  get photos() {
    const picked = this.#picker instanceof HTMLSelectElement ? this.#picker.selectedOptions[0] : this.#picker;
    return picked?.dataset.photos ?? "seen";
  }

  get text() {
    return this.#question.value;
  }

  /** Sets the text without calling `typed`. @param {string} text */
  fill(text) {
    this.#question.value = text;
    this.#grow();
  }

  focus() {
    this.#question.focus();
  }

  /** Moves the focus from a control that is hidden to the box, unless that would open a touch keyboard. */
  refocus() {
    if (matchMedia("(pointer: fine)").matches) this.focus();
  }

  /** Edits a sent question: sending makes a new version. @param {string} key @param {string} text */
  edit(key, text) {
    this.#told.leave();
    if (!this.editing) this.#before = this.text;
    this.#mark(key);
    this.fill(text);
    this.focus();
  }

  /** Cancels editing, and restores the draft. */
  cancelEdit() {
    if (!this.editing) return;
    this.#told.leave();
    this.#mark("");
    this.fill(this.#before);
    this.#told.typed(this.text);
    this.focus();
  }

  /** Takes out what is sent; what was typed behind it stays, and after an edit what stood here before. Returns the key
   * of the edited question. @param {string} text */
  take(text) {
    const key = this.editing;
    const isHere = this.text.startsWith(text);
    this.#mark("");
    if (key) this.fill(this.#before);
    else if (isHere) this.fill(this.text.slice(text.length).trimStart());
    return key;
  }

  /** Adds a quotation to the text. @param {string} text */
  quote(text) {
    const quoted = text.trim().replace(/^/gm, "> ");
    this.fill(`${this.text ? `${this.text.trimEnd()}\n\n` : ""}${quoted}\n\n`);
    this.#told.typed(this.text);
    this.focus();
  }

  /** @param {string} key */
  #mark(key) {
    this.editing = key;
    /** @type {HTMLElement} */ (this.#form.querySelector("[data-part=editing]")).hidden = !key;
  }

  /** While an answer is pending there is a stop button, and sent messages are queued. @param {boolean} busy */
  set busy(busy) {
    const hadFocus = this.#form.querySelector(".send:focus");
    this.#busy = busy;
    this.#send.hidden = busy;
    this.#stop.hidden = !busy;
    if (hadFocus) (busy ? this.#stop : this.#question).focus();
  }

  get busy() {
    return this.#busy;
  }

  get #picker() {
    return /** @type {HTMLSelectElement | HTMLInputElement | null} */ (this.#form.elements.namedItem("model"));
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.key === "Escape") return this.cancelEdit();
    // While an input method composes, Enter picks a word (keyCode 229: Safari sends it after the composition).
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return undefined;
    if (matchMedia("(pointer: coarse) and (hover: none)").matches) return undefined; // a phone's Enter starts a line
    event.preventDefault();
    return this.#submit();
  }

  /** Ignores the second press of a double click on a control that has replaced the first one.
   * @param {MouseEvent} event */
  #takeOnce(event) {
    const control = /** @type {Element} */ (event.target).closest("button");
    if (event.detail < 2) this.#clicked = control;
    else if (control !== this.#clicked) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  #submit() {
    this.#told[this.#busy ? "queue" : "send"](this.text);
  }

  #typed() {
    this.#grow();
    this.#told.typed(this.text);
  }

  #grow() {
    if (!CSS.supports("field-sizing", "content")) {
      this.#question.style.height = "auto";
      this.#question.style.height = `${this.#question.scrollHeight}px`;
    }
  }
}
