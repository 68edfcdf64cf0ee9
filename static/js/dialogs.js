// The side panel that htmx fills, and the question before something that matters.

const panel = document.getElementById("panel");
const confirmDialog = document.getElementById("confirm");

document.addEventListener("htmx:afterSwap", (event) => {
  if (!panel?.contains(event.target)) return;
  // The options of a field move no focus.
  if (event.target.closest("[data-pick]")) return;
  if (!panel.open) panel.showModal();
  panel.querySelector("[autofocus], [aria-invalid='true'], h2[tabindex]")?.focus();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-close-panel]")) {
    event.preventDefault();
    panel.close();
  }
  // A click beside the panel closes it, as Escape does.
  if (event.target === panel) panel.close();
  if (event.target === confirmDialog) confirmDialog.close();
});

panel?.addEventListener("close", () => {
  // The page behind was written before what has just been asked for.
  if (panel.querySelector("[data-reload-after]")) return location.reload();
  document.getElementById("panel-body").replaceChildren();
});

// <button data-confirm="..."> asks first; without script the button acts at once.
let agreed = null;
document.addEventListener(
  "click",
  (event) => {
    const button = event.target.closest("button[data-confirm]");
    if (!button || button === agreed) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    confirmDialog.querySelector("[data-text]").textContent = button.dataset.confirm;
    const yes = confirmDialog.querySelector("[data-yes]");
    yes.textContent = button.dataset.confirmLabel || button.textContent.trim();
    yes.onclick = (click) => {
      click.preventDefault();
      confirmDialog.close();
      agreed = button;
      button.click();
      agreed = null;
    };
    confirmDialog.showModal();
  },
  true,
);
