// The inbox by keyboard: j and k move from card to card, x chooses one, a converts.

const cards = () => [...document.querySelectorAll("[data-inbox] > li")];

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
  const all = cards();
  const now = all.findIndex((card) => card.contains(document.activeElement));
  if (event.key === "j" || event.key === "k") {
    const next = all[Math.min(all.length - 1, Math.max(0, now + (event.key === "j" ? 1 : -1)))];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  } else if (event.key === "x") {
    all[now]?.querySelector("input[name=ids]")?.click();
  } else if (event.key === "a") {
    all[now]?.querySelector("[data-approve]")?.click();
  } else return;
  if (all.length) event.preventDefault();
});
