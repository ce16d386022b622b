/* Boxes for values that are more than a line of text: picks among what exists, SKUs by search, moments, windows.
   The same boxes stand in the list view and open beneath a block. `change` gets the new value as the text of a box. */
(function () {
  "use strict";
  const { make, say, isTyped, named, ask, skus, local, global, HOUR } = window.ohRules;
  let count = 0;

  /* A box for a spec; `label` is read out. */
  function box(spec, text, label, change, isOff) {
    const builder = BOXES[spec.kind] || line;
    const node = builder(spec, text, label, change);
    if (isOff) for (const one of node.matches("input,select,button,textarea") ? [node] : node.querySelectorAll("input,select,button")) one.disabled = true;
    return node;
  }

  function line(spec, text, label, change) {
    const input = make("input", { class: "oh-input oh-re-line", value: text, "aria-label": label, autocomplete: "off", inputmode: spec.kind === "figure" ? "decimal" : "text" });
    input.addEventListener("input", () => {
      const isRight = isTyped(spec, input.value);
      input.setAttribute("aria-invalid", String(!isRight));
      if (isRight) change(input.value.trim());
    });
    if (spec.kind === "figure") input.classList.add("is-figure");
    return input;
  }

  function pair(spec, text, label, change) {
    const ends = (text || ", ").split(",").map((one) => one.trim());
    const part = (at) => line({ ...spec, kind: "figure" }, ends[at] || "", `${label} ${at + 1}`, (value) => { ends[at] = value; change(ends.join(", ")); });
    return make("span", { class: "oh-re-pair" }, part(0), "–", part(1));
  }

  function yesno(spec, text, label, change) {
    if (spec.isFlag) return make("input", { type: "checkbox", class: "oh-re-check", checked: text === "true", "aria-label": label, onchange: (event) => change(String(event.target.checked)) });
    return select([["true", spec.words[0]], ["false", spec.words[1]]], text, label, change);
  }

  function select(options, value, label, change) {
    const node = make("select", { class: "oh-input oh-re-select", "aria-label": label, onchange: (event) => change(event.target.value) });
    const all = options.some((one) => one[0] === value) ? options : [[value, value || say("choose")], ...options];
    node.append(...all.map(([key, word]) => make("option", { value: key, selected: key === value }, word)));
    return node;
  }

  /* One text of those that exist, or another one typed, unless the list is closed. */
  function pick(spec, text, label, change) {
    if (spec.closed) return select(spec.choices, text, label, change);
    const id = `oh-re-list-${++count}`;
    const input = make("input", { class: "oh-input oh-re-line", value: text, "aria-label": label, list: id, autocomplete: "off", oninput: (event) => change(event.target.value.trim()) });
    return make("span", { class: "oh-re-pick" }, input, make("datalist", { id }, ...spec.choices.map(([value, word]) => make("option", { value }, word === value ? "" : word))));
  }

  /* Several texts: each a chip to take away, and a box that finds more. */
  function picks(spec, text, label, change) {
    const chosen = text ? JSON.parse(text) : [];
    const chips = make("span", { class: "oh-re-chips" }), found = make("ul", { class: "oh-re-found", hidden: true });
    const input = make("input", { class: "oh-input oh-re-line", "aria-label": say("find {label}", { label }), placeholder: say(spec.source === "sku" ? "find SKU" : "add one"), autocomplete: "off", role: "combobox", "aria-expanded": "false" });
    let asked = 0, timer = 0, isQuiet = false;
    const tell = () => { change(chosen.length || !spec.optional ? JSON.stringify(chosen) : ""); draw(); };
    function draw() {
      chips.replaceChildren(...chosen.map((value, at) => make("span", { class: "oh-tag oh-re-chip" }, chipOf(value),
        make("button", { type: "button", "aria-label": say("take away {name}", { name: value }), onclick: () => { chosen.splice(at, 1); tell(); input.focus(); } }, "×"))));
      if (!chosen.length && !spec.isBare) chips.append(make("span", { class: "oh-muted oh-s12" }, say(spec.optional ? "any" : "nothing chosen")));
    }
    const chipOf = (value) => { const name = named(spec, value); return name === value ? value : `${name} · ${value}`; };
    function add(value) {
      if (value && !chosen.includes(value)) { chosen.push(value); tell(); }
      input.value = "";
      show([]);
      isQuiet = true;
      input.focus();
      isQuiet = false;
    }
    function show(options) {
      found.hidden = !options.length;
      input.setAttribute("aria-expanded", String(!!options.length));
      found.replaceChildren(...options.map(([value, name, price]) => make("li", {}, make("button", { type: "button", onmousedown: (event) => event.preventDefault(), onclick: () => add(value) }, make("b", {}, name), name === value ? null : ` ${value}`, price ? make("span", { class: "oh-muted" }, ` ${price}`) : null))));
    }
    async function search() {
      const wanted = input.value.trim(), mine = ++asked;
      if (spec.source !== "sku") { show(spec.choices.filter(([value, name]) => !chosen.includes(value) && (value + name).toLowerCase().includes(wanted.toLowerCase())).slice(0, 20)); return; }
      const answer = await ask("find", { text: wanted });
      if (mine !== asked || !answer.ok) return;
      for (const [value, name, price] of answer.found) skus.set(value, { label: name, price });
      show(answer.found.filter(([value]) => !chosen.includes(value)));
    }
    input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(search, 150); });
    input.addEventListener("focus", () => { if (isQuiet) return; clearTimeout(timer); timer = setTimeout(search, 150); });
    input.addEventListener("blur", (event) => { if (!found.contains(event.relatedTarget)) { clearTimeout(timer); asked++; show([]); } });
    input.addEventListener("keydown", (event) => {
      const firstFound = found.querySelector("button");
      if (event.key === "Enter") {
        event.preventDefault();
        const typed = input.value.trim(), exact = [...found.querySelectorAll("button")].length === 1 ? firstFound : null;
        if (exact && spec.source === "sku") exact.click(); else if (typed && !spec.closed) add(typed);
      } else if (event.key === "ArrowDown" && firstFound) { event.preventDefault(); firstFound.focus(); }
      else if (event.key === "Backspace" && !input.value && chosen.length) { chosen.pop(); tell(); }
    });
    found.addEventListener("keydown", (event) => {
      const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key], item = event.target.closest("li");
      if (!step || !item) return;
      event.preventDefault();
      (item[step] ? item[step].firstChild : input).focus();
    });
    draw();
    return make("span", { class: "oh-re-picks" }, chips, make("span", { class: "oh-re-search" }, input, found));
  }

  function moment(spec, text, label, change) {
    const input = make("input", { type: "datetime-local", class: "oh-input oh-re-moment", value: text ? local(text) : "", "aria-label": label });
    input.addEventListener("change", () => change(input.value ? global(input.value.slice(0, 16)) : ""));
    return input;
  }

  function moments(spec, text, label, change) {
    const ends = text ? JSON.parse(text) : ["", ""];
    const part = (at) => moment(spec, ends[at], `${label} ${at + 1}`, (value) => { ends[at] = value; if (ends[0] && ends[1]) change(JSON.stringify(ends)); });
    return make("span", { class: "oh-re-pair" }, part(0), "–", part(1));
  }

  /* From one hour to another, or whole days. */
  function windowBox(spec, text, label, change) {
    const value = text ? JSON.parse(text) : { from: "20:00", to: "22:00" }, holder = make("span", { class: "oh-re-pair" });
    function draw() {
      const type = HOUR.test(value.from) ? "time" : "date";
      const kind = select([["time", say("hours")], ["date", say("days")]], type, say("kind of {label}", { label }), (wanted) => {
        const day = new Date().toISOString().slice(0, 10);
        Object.assign(value, wanted === "time" ? { from: "20:00", to: "22:00" } : { from: day, to: day });
        change(JSON.stringify(value));
        draw();
      });
      const part = (key, word) => make("input", { type, class: "oh-input oh-re-moment", value: value[key], "aria-label": `${label}: ${word}`, onchange: (event) => { if (event.target.value) { value[key] = event.target.value; change(JSON.stringify(value)); } } });
      holder.replaceChildren(kind, part("from", say("from")), "–", part("to", say("to")));
    }
    draw();
    return holder;
  }

  const BOXES = { text: line, figure: line, figures: line, pair, yesno, pick, picks, moment, moments, window: windowBox };
  Object.assign(window.ohRules, { box, select });
})();
