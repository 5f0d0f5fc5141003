/**
 * The account forms: buttons that show a typed password, and the focus on the first invalid field.
 */

const choice = /** @type {HTMLElement | null} */ (document.querySelector("[data-part=show-password]"));
const passwords = /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("input[type=password]"));

/** @type {HTMLElement | null} */ (document.querySelector("[aria-invalid=true]"))?.focus();
if (choice) choice.hidden = passwords.length === 0;
choice?.addEventListener("change", ({ target }) => {
  const type = /** @type {HTMLInputElement} */ (target).checked ? "text" : "password";
  for (const field of passwords) field.type = type;
});
