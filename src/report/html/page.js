"use strict";
(() => {
  const form = document.getElementById("filter");
  if (!form) return;
  const STEP = 500;
  const rows = Array.from(document.querySelectorAll("#list tbody tr"));
  const words = document.getElementById("words");
  const namespace = document.getElementById("namespace");
  const count = document.getElementById("count");
  const more = document.getElementById("more");
  let limit = STEP;
  let texts;
  const apply = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = new Set(Array.from(form.querySelectorAll("[name=severity]:checked"), (box) => box.value));
    // The texts are read for the first search: most readers make none.
    if (wanted.length && !texts) texts = rows.map((row) => row.textContent.toLowerCase());
    let fitting = 0;
    rows.forEach((row, at) => {
      const fits = chosen.has(row.dataset.s)
        && (!namespace.value || row.dataset.n === namespace.value)
        && wanted.every((word) => texts[at].includes(word));
      if (fits) fitting += 1;
      row.hidden = !fits || fitting > limit;
    });
    const all = fitting < rows.length ? ` (${rows.length} in all)` : "";
    count.textContent = `${Math.min(fitting, limit)} of ${fitting} shown${all}`;
    more.hidden = fitting <= limit;
  };
  const show = (next) => { limit = next; apply(); };
  const [next, everything] = more.querySelectorAll("button");
  next.addEventListener("click", () => show(limit + STEP));
  everything.addEventListener("click", () => show(Infinity));
  form.addEventListener("input", () => show(STEP));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => show(STEP)));
  addEventListener("beforeprint", () => show(Infinity));
  form.hidden = false;
  more.hidden = rows.length <= limit;
})();
