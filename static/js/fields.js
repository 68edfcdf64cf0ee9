// How many characters a text has left, and finding one of many boxes to tick.
// Everything is delegated, so that a field htmx has just put on the page works as well.

// What is left is said aloud near the end only, and once the typing rests.
const NEARLY_FULL = 0.9;
const REST_MS = 800;
const waiting = new WeakMap();

const counterOf = (field) => document.querySelector(`[data-count="${CSS.escape(field.id)}"]`);
// As Feishu and the server count: an emoji is one character.
const lengthOf = (text) => [...text].length;

function count(field, { aloud }) {
  const counter = counterOf(field);
  if (!counter) return;
  const longest = Number(counter.dataset.longest);
  const length = lengthOf(field.value);
  counter.hidden = false;
  counter.toggleAttribute("data-over", length > longest);
  counter.querySelector("[data-count-shown]").textContent = `${length} / ${longest}`;
  if (aloud) say(counter, longest - length, length > longest * NEARLY_FULL);
}

function say(counter, left, isNear) {
  const said = counter.querySelector("[data-count-said]");
  clearTimeout(waiting.get(counter));
  const words = left < 0 ? said.dataset.over : said.dataset.left;
  const text = isNear ? words.replace("{number}", Math.abs(left)) : "";
  waiting.set(counter, setTimeout(() => (said.textContent = text), REST_MS));
}

function filter(search) {
  const wanted = search.value.trim().toLowerCase();
  for (const label of search.closest("[data-boxes]").querySelectorAll("label")) {
    const isWanted = label.textContent.toLowerCase().includes(wanted);
    label.parentElement.hidden = !isWanted && !label.querySelector("input").checked;
  }
}

function prepare() {
  for (const field of document.querySelectorAll("[data-longest]:is(input, textarea)"))
    count(field, { aloud: false });
  for (const search of document.querySelectorAll("[data-boxes-filter]")) search.hidden = false;
}

document.addEventListener("input", ({ target }) => {
  if (target.dataset.longest) count(target, { aloud: true });
  if ("boxesFilter" in target.dataset) filter(target);
});

// Enter in the filter is for the filter, not for the form around it.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && "boxesFilter" in event.target.dataset) event.preventDefault();
});

document.addEventListener("htmx:load", prepare);
prepare();
