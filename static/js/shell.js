// The frame: "/" goes to the search, filters apply themselves, a form is sent once.

document.documentElement.dataset.script = "on";

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const search = document.querySelector("[data-search]");
  if (!search || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  search.focus();
  search.select();
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
});

// Coming back with the browser's back button finds the form usable again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// How long until the portal looks again; the time itself is in the page for those without script.
setInterval(() => {
  for (const clock of document.querySelectorAll("time[data-countdown]")) {
    const left = Math.round((Date.parse(clock.dateTime) - Date.now()) / 1000);
    if (left > 0 && left < 3600) clock.textContent = clock.dataset.countdown.replace("{s}", left);
    else if (left <= 0) clock.textContent = clock.dataset.now;
  }
}, 500);
