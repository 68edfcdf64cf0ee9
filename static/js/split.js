// The cost center split: spare lines appear when they are asked for, and the total is counted
// along. Without script all lines are there and the server counts.

const rowsOf = (split) => [...split.querySelectorAll("[data-split-row]")];
const shareOf = (row) => row.querySelector("input[type=number]");
const centerOf = (row) => row.querySelector("select, [data-pick-value]");

function isFilled(row) {
  const typed = row.querySelector("[role=combobox]");
  return Boolean(shareOf(row).value || centerOf(row)?.value || typed?.value);
}

function prepare(split) {
  if (split.dataset.ready) return;
  split.dataset.ready = "yes";
  rowsOf(split).forEach((row, place) => {
    row.querySelector("[data-split-remove]").hidden = false;
    row.hidden = place > 0 && !isFilled(row) && !("wrong" in row.dataset);
  });
  count(split);
}

function count(split) {
  const shares = rowsOf(split).filter((row) => !row.hidden).map((row) => Number(shareOf(row).value) || 0);
  const total = shares.reduce((sum, share) => sum + share, 0);
  const said = split.querySelector("[data-split-total]");
  const words = total === 100 ? said.dataset.whole : total < 100 ? said.dataset.short : said.dataset.over;
  const text = total ? words.replace("{total}", total).replace("{rest}", Math.abs(100 - total)) : "";
  if (said.textContent !== text) said.textContent = text;
  said.dataset.tone = total === 100 ? "good" : "attention";
}

function clear(row) {
  for (const field of row.querySelectorAll("input, select")) field.value = "";
  row.querySelector("[data-pick-hint]")?.replaceChildren();
  row.querySelector("[data-pick-clear]")?.setAttribute("hidden", "");
  row.querySelector(".errorlist")?.remove();
}

function prepareAll() {
  document.querySelectorAll("[data-split]").forEach(prepare);
}

document.addEventListener("click", (event) => {
  const split = event.target.closest("[data-split]");
  if (!split) return;
  if (event.target.closest("[data-split-remove]")) {
    const row = event.target.closest("[data-split-row]");
    clear(row);
    row.hidden = rowsOf(split).filter((other) => !other.hidden).length > 1;
    count(split);
    split.querySelector("[data-split-add]").focus();
  }
  if (event.target.closest("[data-split-add]")) {
    const spare = rowsOf(split).find((row) => row.hidden);
    // None left: the server adds some.
    if (!spare) return;
    event.preventDefault();
    event.stopPropagation();
    spare.hidden = false;
    spare.querySelector("select, [role=combobox]").focus();
  }
}, true);

document.addEventListener("input", (event) => {
  const split = event.target.closest?.("[data-split]");
  if (split) count(split);
});

document.addEventListener("htmx:afterSwap", prepareAll);
prepareAll();
