// Shows only those inputs of a field's form that its type knows; without it all are there, and the server judges.
"use strict";

(() => {
  const KNOWN = {
    choices_text: ["choice", "choices"],
    pattern: ["text"],
    unit: ["text", "integer", "decimal"],
    least: ["text", "integer", "decimal", "money", "date", "time", "choices", "link"],
    most: ["text", "integer", "decimal", "money", "date", "time", "choices", "link"],
  };

  function row(input) {
    return input.closest("[class*='field-" + input.name + "']") || input.closest(".field-line") || input.parentElement;
  }

  function draw(kind) {
    for (const [name, kinds] of Object.entries(KNOWN)) {
      const input = document.getElementById("id_" + name);
      if (input) row(input).hidden = !kinds.includes(kind.value) && !input.value;
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    const kind = document.getElementById("id_kind");
    if (!kind) return;
    kind.addEventListener("change", () => draw(kind));
    draw(kind);
  });
})();
