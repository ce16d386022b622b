/* The rules of a set in the order they run, and the fields every rule has: name, priority, time, group. */
(function () {
  "use strict";
  const R = window.ohRules, { make, say, data, S, part, change } = R;
  const STEP = 10;

  // ---- the list -----------------------------------------------------------------------------------------

  R.paintRules = function () {
    const holder = part("rules"), had = document.activeElement && holder.contains(document.activeElement) ? document.activeElement.getAttribute("data-key") : "";
    holder.replaceChildren(...S.rules.map(row));
    if (had) { const again = [...holder.querySelectorAll("[data-key]")].find((one) => one.dataset.key === had); if (again && !again.disabled) again.focus(); }
  };
  function row(one, at) {
    const errors = R.errorsOf(one.code).length, name = R.nameOf(one);
    const isNew = !S.stand.in_force_codes.includes(one.code);
    const tool = (sign, word, deed, isOff) => make("button", { type: "button", class: "oh-btn oh-btn-sm oh-btn-ghost", "data-key": `${one.code} ${word}`, "aria-label": say(word, { name }), title: say(word, { name }), disabled: isOff || !data.can_edit, onclick: deed }, sign);
    return make("li", { class: `oh-re-rule${at === S.at ? " is-on" : ""}${one.is_active ? "" : " is-off"}` },
      make("button", { type: "button", class: "oh-re-open", "data-key": `${one.code} open`, "aria-current": at === S.at ? "true" : null, onclick: () => { S.at = at; R.show(); } },
        make("span", { class: "oh-re-number" }, String(one.priority)), make("span", { class: "oh-re-name" }, name),
        errors ? make("span", { class: "oh-pill t-bad" }, String(errors)) : null, isNew ? make("span", { class: "oh-tag" }, say("new")) : null, one.is_active ? null : make("span", { class: "oh-pill t-wait" }, say("off"))),
      make("span", { class: "oh-re-tools" },
        make("label", { class: "oh-re-switch" }, make("input", { type: "checkbox", "data-key": `${one.code} on`, checked: one.is_active, disabled: !data.can_edit, "aria-label": say("{name} is on", { name }), onchange: (event) => { change(() => { one.is_active = event.target.checked; }); R.show(); } })),
        tool("↑", "earlier: {name}", () => move(at, -1), at === 0), tool("↓", "later: {name}", () => move(at, 1), at === S.rules.length - 1),
        tool(icon("content_copy"), "duplicate {name}", () => duplicate(at)), tool(icon("delete"), "delete {name}", () => remove(at))));
  }
  function icon(name) { return make("span", { class: "material-symbols-outlined oh-re-icon", "aria-hidden": "true" }, name); }
  /* The order is that of the priorities: two rules swap theirs; where all are alike they are numbered anew. */
  function move(at, by) {
    change(() => {
      const rules = S.rules, to = at + by, open = rules[S.at];
      if (new Set(rules.map((one) => one.priority)).size < rules.length) rules.forEach((one, n) => { one.priority = (n + 1) * STEP; });
      [rules[at].priority, rules[to].priority] = [rules[to].priority, rules[at].priority];
      [rules[at], rules[to]] = [rules[to], rules[at]];
      S.at = rules.indexOf(open);
    });
    R.show();
  }
  function duplicate(at) {
    change(() => {
      const copy = structuredClone(S.rules[at]);
      Object.assign(copy, { code: freeCode(copy.code), name: say("{name} copy", { name: copy.name }).slice(0, 120), name_en: copy.name_en ? `${copy.name_en} (copy)`.slice(0, 120) : "" });
      S.rules.splice(at + 1, 0, copy);
      S.at = at + 1;
    });
    R.show();
  }
  function remove(at) {
    const name = R.nameOf(S.rules[at]);
    change(() => { S.rules.splice(at, 1); S.at = Math.max(0, Math.min(S.at > at ? S.at - 1 : S.at, S.rules.length - 1)); });
    R.show();
    window.orderhub.toast(say("{name} was deleted", { name }), { undo: say("undo"), onUndo: () => part("undo").click() });
  }
  function add() {
    change(() => {
      const highest = S.rules.length ? Math.max(...S.rules.map((one) => one.priority)) : 0;
      S.rules.push({ code: freeCode("rule"), name: say("new rule"), name_en: "", priority: highest + STEP, when: { all: [] }, then: [], group: "", stop: false, valid_from: null, valid_to: null, is_active: true });
      S.at = S.rules.length - 1;
    });
    R.show();
    const name = part("settings").querySelector("[name=name]");
    if (name) { name.focus(); name.select(); }
  }
  function freeCode(base) {
    const stem = base.replace(/-\d+$/, "").slice(0, 34), used = new Set([...S.rules.map((one) => one.code), ...S.stand.in_force_codes]);
    for (let n = 1; ; n++) if (!used.has(`${stem}-${n}`)) return `${stem}-${n}`;
  }

  // ---- the fields of one rule ------------------------------------------------------------------------------

  R.paintSettings = function () {
    const holder = part("settings"), one = R.rule();
    holder.hidden = !one;
    if (!one) return;
    const isOff = !data.can_edit, isKnown = S.stand.in_force_codes.includes(one.code);
    const set = (key, value) => { change(() => { one[key] = value; }, `${one.code} ${key}`); if (key === "priority") sorted(); R.paintRules(); };
    const field = (key, label, input, isWide) => {
      input.id = `oh-re-${key}`;
      input.name = key;
      input.disabled = isOff || input.disabled;
      return make("div", { class: `oh-field${isWide ? " is-wide" : ""}`, "data-setting": key }, make("label", { for: input.id }, label), input, make("p", { class: "oh-err", hidden: true }));
    };
    const text = (key, most, ...more) => make("input", { class: "oh-input", value: one[key], maxlength: most, oninput: (event) => set(key, event.target.value), autocomplete: "off", ...more[0] });
    const moment = (key) => make("input", { type: "datetime-local", class: "oh-input", value: one[key] ? R.local(one[key]) : "", onchange: (event) => set(key, event.target.value ? R.global(event.target.value.slice(0, 16)) : null) });
    const groups = [...new Set(S.rules.map((x) => x.group).filter(Boolean))];
    const code = text("code", 40, { pattern: "[\\-A-Za-z0-9_]+", oninput: (event) => { if (/^[-A-Za-z0-9_]{1,40}$/.test(event.target.value) && !S.rules.some((x) => x !== one && x.code === event.target.value)) set("code", event.target.value); } });
    code.disabled = isKnown;
    holder.replaceChildren(
      field("name", say("name"), text("name", 120), true), field("name_en", say("English name"), text("name_en", 120), true),
      field("priority", say("priority"), make("input", { class: "oh-input", type: "number", step: "1", value: one.priority, onchange: (event) => set("priority", Math.trunc(Number(event.target.value)) || 0) })),
      field("valid_from", say("valid from"), moment("valid_from")), field("valid_to", say("valid to"), moment("valid_to")),
      field("group", say("exclusive group"), text("group", 40, { list: "oh-re-groups" })), field("code", say("code"), code),
      make("datalist", { id: "oh-re-groups" }, ...groups.map((value) => make("option", { value }))),
      make("label", { class: "oh-re-stops", "data-setting": "stop" }, make("input", { type: "checkbox", name: "stop", checked: one.stop, disabled: isOff, onchange: (event) => set("stop", event.target.checked) }), say("no later rule counts after it")),
    );
  };
  function sorted() {
    const open = R.rule();
    S.rules.sort((a, b) => a.priority - b.priority || (a.code < b.code ? -1 : 1));
    S.at = S.rules.indexOf(open);
  }
  R.markSettings = function (findings) {
    for (const node of part("settings").querySelectorAll("[data-setting]")) {
      const mine = findings.filter((one) => one.path === node.dataset.setting), told = node.querySelector(".oh-err"), input = node.querySelector("input");
      if (!told) continue;
      told.textContent = mine.map((one) => one.text).join(" ");
      told.hidden = !mine.length;
      input.setAttribute("aria-invalid", String(mine.some((one) => one.level === "error")));
    }
  };
  R.focusSetting = function (key) {
    const input = part("settings").querySelector(`[name="${CSS.escape(key)}"]`);
    if (input) { part("settings").closest("details").open = true; input.focus(); }
  };

  for (const button of R.page.querySelectorAll("[data-add-rule]")) button.addEventListener("click", add);
})();
