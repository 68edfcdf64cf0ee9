// What every htmx request carries, and what is shown when one fails.

const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";

document.addEventListener("htmx:configRequest", (event) => {
  const { detail } = event;
  if (detail.verb !== "get") detail.headers["X-CSRFToken"] = meta("csrf-token");
  // A poll of rows asks for nothing while no row is moving.
  const wanted = event.target.dataset.needs;
  if (wanted && !detail.parameters[wanted]?.length) event.preventDefault();
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  if (xhr.status === 422) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});

document.addEventListener("htmx:responseError", (event) => {
  const answer = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
  const notice = answer.querySelector("[data-notice]");
  toast(notice?.textContent.trim().replace(/\s+/g, " ") || meta("message-error"));
});

let offlineSince = 0;
document.addEventListener("htmx:sendError", () => {
  // A page that polls would otherwise say so every second.
  if (Date.now() - offlineSince < 30_000) return;
  offlineSince = Date.now();
  toast(meta("message-offline"));
});

function toast(text) {
  const region = document.getElementById("toasts");
  // A page that polls says the same again and again: once at a time is enough.
  const shown = [...region.querySelectorAll("[data-text]")];
  if (shown.some((words) => words.textContent === text)) return;
  const item = document.getElementById("toast-template").content.firstElementChild.cloneNode(true);
  item.querySelector("[data-text]").textContent = text;
  item.querySelector("[data-close]").addEventListener("click", () => item.remove());
  region.append(item);
  // The top layer, so that it is not hidden behind an open dialog.
  if (region.showPopover) {
    region.hidePopover();
    region.showPopover();
  }
  setTimeout(() => item.remove(), 12_000);
}
