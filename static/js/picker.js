// Fields that are filled in by name: a text box with a list below it, which htmx fills.
// Everything is delegated, so that a field htmx has just put on the page works as well.

const GAP = 4;
const part = (pick, name) => pick.querySelector(`[data-pick-${name}]`);
const box = (pick) => pick.querySelector("[role=combobox]");
const pickOf = (element) => element?.closest?.("[data-pick]");
const options = (pick) => [...pick.querySelectorAll("[role=option]")];
const active = (pick) => pick.querySelector("[role=option][data-active]");
const isOpen = (pick) => box(pick).getAttribute("aria-expanded") === "true";

// -- the list ---------------------------------------------------------------------------------

function open(pick) {
  if (isOpen(pick)) return;
  for (const other of document.querySelectorAll("[data-pick]")) if (other !== pick) close(other);
  box(pick).setAttribute("aria-expanded", "true");
  part(pick, "popup").showPopover();
  place(pick);
}

function close(pick) {
  if (!isOpen(pick)) return;
  box(pick).setAttribute("aria-expanded", "false");
  activate(pick, null);
  part(pick, "popup").hidePopover();
  say(pick, "");
}

// Below the box, or above it where there is more room: a phone's keyboard takes half the screen.
function place(pick) {
  const popup = part(pick, "popup");
  const { left, top, bottom, width } = box(pick).getBoundingClientRect();
  const view = window.visualViewport;
  const [start, end] = view ? [view.offsetTop, view.offsetTop + view.height] : [0, innerHeight];
  const below = end - bottom - 2 * GAP;
  const above = top - start - 2 * GAP;
  const upwards = below < 180 && above > below;
  popup.style.width = `${width}px`;
  popup.style.left = `${left}px`;
  popup.style.maxHeight = `${Math.min(340, upwards ? above : below)}px`;
  popup.style.top = upwards ? "auto" : `${bottom + GAP}px`;
  popup.style.bottom = upwards ? `${innerHeight - top + GAP}px` : "auto";
}

function activate(pick, option) {
  active(pick)?.removeAttribute("data-active");
  option?.setAttribute("data-active", "");
  option?.scrollIntoView({ block: "nearest" });
  if (option) box(pick).setAttribute("aria-activedescendant", option.id);
  else box(pick).removeAttribute("aria-activedescendant");
}

function move(pick, step) {
  const all = options(pick);
  if (!all.length) return;
  const at = all.indexOf(active(pick));
  activate(pick, all[at < 0 && step < 0 ? all.length - 1 : (at + step + all.length) % all.length]);
}

function search(pick) {
  open(pick);
  state(pick, "loading");
  htmx.trigger(box(pick), "pick:open");
}

function state(pick, name) {
  part(pick, "popup").dataset.state = name;
  const note = pick.querySelector(`[data-when="${name}"]`);
  if (note) say(pick, note.textContent);
}

function say(pick, text) {
  part(pick, "said").textContent = text;
}

// -- the value --------------------------------------------------------------------------------

function hold(pick, { value, label, hint }) {
  let store = part(pick, "value");
  if (store.tagName === "SELECT") {
    // The choice offered to those without script gives way to the list.
    const hidden = document.createElement("input");
    hidden.type = "hidden";
    hidden.name = store.name;
    hidden.dataset.pickValue = "";
    store.replaceWith(hidden);
    store = hidden;
  }
  store.value = value;
  part(pick, "was").value = label;
  part(pick, "hint").textContent = hint === label ? "" : hint;
  store.dispatchEvent(new Event("change", { bubbles: true }));
}

function choose(pick, option) {
  const { value, label, hint } = option.dataset;
  box(pick).value = label;
  box(pick).removeAttribute("aria-invalid");
  part(pick, "clear").hidden = false;
  hold(pick, { value, label, hint });
  close(pick);
}

function clear(pick) {
  box(pick).value = "";
  part(pick, "clear").hidden = true;
  hold(pick, { value: "", label: "", hint: "" });
  close(pick);
  box(pick).focus();
}

// -- keys, typing, pointing -------------------------------------------------------------------

document.addEventListener("input", (event) => {
  const pick = pickOf(event.target);
  if (!pick || event.target !== box(pick)) return;
  part(pick, "clear").hidden = !event.target.value;
  hold(pick, { value: "", label: "", hint: "" });
  open(pick);
  activate(pick, null);
  state(pick, "loading");
});

document.addEventListener("keydown", (event) => {
  const pick = pickOf(event.target);
  // Enter that ends a Chinese input method's word is not ours.
  if (!pick || event.target !== box(pick) || event.isComposing) return;
  const chosen = active(pick);
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    if (isOpen(pick)) move(pick, event.key === "ArrowDown" ? 1 : -1);
    else search(pick);
  } else if (event.key === "Enter" && isOpen(pick)) {
    const isLoading = part(pick, "popup").dataset.state === "loading";
    if (chosen || isLoading) event.preventDefault();
    // With nothing to choose the text is sent as it is: it may be an id.
    if (chosen) choose(pick, chosen);
    else if (!isLoading) close(pick);
  } else if (event.key === "Escape" && isOpen(pick)) {
    // Closes the list only, not the dialog around it.
    event.preventDefault();
    event.stopPropagation();
    close(pick);
  } else if (event.key === "Tab" && isOpen(pick)) {
    if (chosen) choose(pick, chosen);
    else close(pick);
  }
});

document.addEventListener("mousedown", (event) => {
  // The box keeps the focus while something in the list is pointed at, by finger as well.
  if (event.target.closest("[data-pick-popup]")) event.preventDefault();
});

document.addEventListener("click", (event) => {
  const pick = pickOf(event.target);
  for (const other of document.querySelectorAll("[data-pick]")) if (other !== pick) close(other);
  if (!pick) return;
  const option = event.target.closest("[role=option]");
  if (option) choose(pick, option);
  else if (event.target.closest("[data-pick-clear]")) clear(pick);
  else if (event.target === box(pick) && !isOpen(pick)) search(pick);
});

document.addEventListener("focusout", (event) => {
  const pick = pickOf(event.target);
  // Nowhere: the window lost the focus.
  if (pick && event.relatedTarget && !pick.contains(event.relatedTarget)) close(pick);
});

for (const [target, name] of [[window, "resize"], [window.visualViewport, "resize"], [document, "scroll"]]) {
  target?.addEventListener(
    name,
    (event) => {
      if (event.target.closest?.("[data-pick-popup]")) return;
      for (const pick of document.querySelectorAll("[data-pick]")) if (isOpen(pick)) place(pick);
    },
    { capture: true, passive: true },
  );
}

// -- what htmx asks and brings ----------------------------------------------------------------

document.addEventListener("htmx:configRequest", (event) => {
  const pick = pickOf(event.target);
  if (!pick || event.target !== box(pick)) return;
  const { parameters } = event.detail;
  const chosen = part(pick, "value").value;
  delete parameters[event.target.name];
  // Whoever opens the list of something chosen wants to see what else there is.
  parameters.q = chosen ? "" : event.target.value;
  parameters.chosen = chosen;
  parameters.list = event.target.getAttribute("aria-controls");
});

document.addEventListener("htmx:afterSwap", (event) => {
  const answer = event.target.closest?.(".pick-answer");
  const pick = pickOf(answer);
  if (!pick) return;
  state(pick, "ready");
  if (!isOpen(pick)) return;
  say(pick, answer.dataset.said);
  const found = options(pick);
  // What is typed is meant; what is only looked at is not.
  if (box(pick).value && !part(pick, "value").value) activate(pick, found[0] ?? null);
  else activate(pick, found.find((option) => option.ariaSelected === "true") ?? null);
});

for (const name of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(name, (event) => {
    const pick = pickOf(event.target);
    if (pick) state(pick, "failed");
  });
}
