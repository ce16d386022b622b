/* The editor of a rule set: which rule is open and in which view, undo, the look at what was written, and keeping it.
   The rules are kept as plain documents; blocks and list are two views of one of them. */
(function () {
  "use strict";
  const R = window.ohRules, { make, say, ask, data } = R;
  const LOOK_MS = 250, SAVE_MS = 2500, STAND_MS = 20000, MOST_UNDO = 100, MARGIN = 18, SETTLE_MS = 120;
  const page = document.getElementById("rules-editor"), part = (name) => page.querySelector(`[data-part="${name}"]`);
  const S = { rules: data.rules, at: 0, token: data.token, saved: "", view: "blocks", undo: [], redo: [], findings: [], sentences: {}, changes: [], stand: data.stand, isStale: false, isSaving: false, looked: 0, places: null };
  let workspace = null, listed = null, lookTimer = 0, saveTimer = 0, isDrawing = false, isUndrawn = false;
  S.saved = R.canonical(S.rules);

  const rule = () => S.rules[S.at];
  const isDirty = () => R.canonical(S.rules) !== S.saved;
  const texts = () => S.rules.map((one) => JSON.stringify(one));
  const nameOf = (one) => (R.zh ? one.name : one.name_en || one.name);
  const errorsOf = (code) => S.findings.filter((one) => one.rule === code && one.level === "error");

  // ---- changes -----------------------------------------------------------------------------------------

  /* Everything that changes the rules goes through here; `key` gathers quick changes of one thing into one undo. */
  function change(deed, key) {
    if (!data.can_edit) return;
    const before = JSON.stringify({ rules: S.rules, at: S.at });
    deed();
    if (JSON.stringify({ rules: S.rules, at: S.at }) === before) return;
    const last = S.undo[S.undo.length - 1], now = Date.now();
    if (!(last && key && last.key === key && now - last.when < 1500)) S.undo.push({ before, key, when: now });
    else last.when = now;
    if (S.undo.length > MOST_UNDO) S.undo.shift();
    S.redo = [];
    touched();
  }
  function step(from, to) {
    const found = from.pop();
    if (!found) return;
    to.push({ before: JSON.stringify({ rules: S.rules, at: S.at }), key: "", when: 0 });
    Object.assign(S, JSON.parse(found.before));
    S.at = Math.min(S.at, Math.max(S.rules.length - 1, 0));
    touched();
    show();
  }
  function touched() {
    clearTimeout(lookTimer);
    lookTimer = setTimeout(look, LOOK_MS);
    clearTimeout(saveTimer);
    if (!S.isStale && data.can_edit) saveTimer = setTimeout(save, SAVE_MS);
    R.paintRules();
    if (rule()) named();
    state();
    page.dispatchEvent(new CustomEvent("rules:changed"));
  }

  // ---- the server ----------------------------------------------------------------------------------------

  async function look() {
    const mine = ++S.looked, answer = await ask("look", { rule: texts() });
    if (mine !== S.looked) return;
    if (!answer.ok) {
      const [code, ...rest] = (answer.path || "").split(".");
      S.findings = [{ level: "error", rule: code, path: rest.join("."), code: "shape", text: answer.text }];
    } else {
      Object.assign(S, { findings: answer.findings, sentences: answer.sentences, changes: answer.changes });
    }
    page.dataset.looked = String(mine);
    R.paintRules();
    R.paintFindings();
    R.paintChanges();
    sentence();
    marks();
    state();
  }

  /* Keep the draft; true once what is on the page is what is kept. */
  async function save() {
    clearTimeout(saveTimer);
    if (!data.can_edit || S.isStale) return false;
    if (S.isSaving) { saveTimer = setTimeout(save, 300); return false; }
    if (!isDirty()) { state(); return true; }
    const sent = JSON.stringify(S.rules);
    S.isSaving = true;
    state();
    const answer = await ask("save", { rule: texts(), token: S.token });
    S.isSaving = false;
    if (answer.ok) {
      S.token = answer.token;
      S.saved = R.canonical(JSON.parse(sent));
      S.savedAt = answer.at;
      state();
      return !isDirty();
    }
    if (answer.is_stale) stale(answer.text); else state(answer.text);
    return false;
  }

  /* Somebody else changed the draft: nothing is written until it is decided whose counts. */
  function stale(text) {
    S.isStale = true;
    clearTimeout(saveTimer);
    const note = part("stale");
    note.hidden = false;
    note.querySelector("[data-text]").textContent = text;
    state();
  }
  async function takeTheirs() {
    const answer = await ask("load");
    if (!answer.ok) return void state(answer.text);
    change(() => { S.rules = answer.rules; S.at = Math.min(S.at, Math.max(answer.rules.length - 1, 0)); });
    fresh(answer);
    show();
  }
  async function keepMine() {
    const answer = await ask("stand", { token: S.token });
    if (!answer.ok) return void state(answer.text);
    S.token = answer.token;
    S.saved = "";
    S.isStale = false;
    part("stale").hidden = true;
    save();
  }
  function fresh(answer) {
    Object.assign(S, { token: answer.token, saved: R.canonical(answer.rules), isStale: false, stand: answer.stand });
    part("stale").hidden = true;
    clearTimeout(saveTimer);
    R.paintVersions();
    state();
  }
  async function stand() {
    if (document.hidden || S.isSaving) return;
    const known = S.token, answer = await ask("stand", { token: known });
    if (!answer.ok || known !== S.token || S.isSaving) return;
    const others = part("others");
    others.hidden = !answer.others.length;
    others.querySelector("[data-text]").textContent = say("also here: {names}", { names: answer.others.join(", ") });
    if (answer.changed && !S.isStale) stale(answer.changed);
    S.stand = answer.stand;
    R.paintVersions();
  }

  // ---- what is shown ------------------------------------------------------------------------------------

  function show() {
    R.paintRules();
    R.paintSettings();
    sentence();
    const isEmpty = !rule();
    part("empty").hidden = !isEmpty;
    part("work").hidden = isEmpty;
    if (!isEmpty) (S.view === "blocks" && workspace ? showBlocks : showList)();
    marks();
    state();
  }
  function showBlocks() {
    isDrawing = true;
    isUndrawn = !R.draw(workspace, rule());
    isDrawing = false;
    part("undrawn").hidden = !isUndrawn;
    part("undrawn").querySelector("pre").textContent = isUndrawn ? JSON.stringify({ when: rule().when, then: rule().then }, null, 2) : "";
    part("blocks").hidden = isUndrawn;
    S.places = isUndrawn ? null : R.read(workspace).places;
    named();
    settle();
    // Once more when Blockly has measured its toolbox, which moves the canvas.
    setTimeout(settle, SETTLE_MS);
  }
  /* The canvas may have been out of sight while it was drawn: sizes are taken anew, and the rule stands beside the toolbox. */
  function settle() {
    Blockly.svgResize(workspace);
    workspace.resize();
    const root = !isUndrawn && workspace.getTopBlocks(false).find((one) => one.type === "rule"), frame = part("blocks").getBoundingClientRect();
    if (!root || !frame.width) return;
    const bar = part("blocks").querySelector(".blocklyToolbox"), side = bar ? bar.getBoundingClientRect() : { right: frame.left, bottom: frame.top, width: 0 };
    const isBeside = side.width < frame.width / 2, at = root.getSvgRoot().getBoundingClientRect();
    workspace.scroll(workspace.scrollX + (isBeside ? side.right : frame.left) + MARGIN - at.left, workspace.scrollY + (isBeside ? frame.top : side.bottom) + MARGIN - at.top);
  }
  function showList() {
    const code = rule().code;
    listed = R.list(part("list"), rule(), (next) => change(() => Object.assign(rule(), next), `list ${code}`), !data.can_edit);
  }
  function named() {
    const root = workspace && workspace.getTopBlocks(false).find((one) => one.type === "rule");
    if (root) root.setFieldValue(nameOf(rule()), "NAME");
  }
  function heard(event) {
    if (isDrawing || isUndrawn || event.isUiEvent || !rule() || S.view !== "blocks") return;
    if (workspace.isDragging()) return;
    const said = R.read(workspace);
    if (!said) return;
    S.places = said.places;
    change(() => { if (!R.same([rule().when, rule().then], [said.when, said.then])) Object.assign(rule(), { when: said.when, then: said.then }); }, `blocks ${rule().code}`);
    const aside = workspace.getTopBlocks(false).filter((one) => one.type !== "rule").length;
    part("aside").hidden = !aside;
    part("aside").textContent = say("{n} blocks stand aside and do not count", { n: aside });
  }
  function sentence() {
    const node = part("sentence"), found = rule() && S.sentences[rule().code];
    node.textContent = rule() ? found || "…" : say("no rule yet");
    node.classList.toggle("is-off", !!rule() && !rule().is_active);
  }
  /* Each fault at the very block or row it is in. */
  function marks() {
    if (!rule()) return;
    const mine = S.findings.filter((one) => one.rule === rule().code);
    if (S.view === "blocks" && workspace && S.places) {
      const said = new Map();
      for (const one of mine.filter((x) => /^(when|then)/.test(x.path))) {
        const block = R.blockAt(S.places, one.path);
        if (block) said.set(block, [...(said.get(block) || []), one]);
      }
      Blockly.Events.disable();
      for (const block of workspace.getAllBlocks(false)) {
        const found = said.get(block) || [];
        block.setWarningText(found.length ? found.map((one) => one.text).join("\n") : null);
        const svg = block.getSvgRoot();
        svg.classList.toggle("oh-re-bad", found.some((one) => one.level === "error"));
        svg.classList.toggle("oh-re-warn", found.length > 0 && found.every((one) => one.level !== "error"));
      }
      Blockly.Events.enable();
    } else if (listed) {
      listed.clear();
      for (const one of mine) listed.mark(one.path, one.text);
    }
    R.markSettings(mine);
  }
  /* Whether it is kept, and whether it may be published. */
  function state(problem) {
    const dirty = isDirty(), errors = S.findings.filter((one) => one.level === "error").length;
    const node = part("state");
    node.textContent = problem || (S.isStale ? say("not kept") : S.isSaving ? say("keeping") : dirty ? say("not kept yet") : S.savedAt ? say("kept at {at}", { at: S.savedAt }) : say("kept"));
    node.classList.toggle("is-bad", !!problem || S.isStale);
    page.dataset.state = S.isStale ? "stale" : S.isSaving || dirty ? "dirty" : "kept";
    part("undo").disabled = !S.undo.length;
    part("redo").disabled = !S.redo.length;
    const button = part("publish");
    if (button) {
      button.disabled = errors > 0 || S.isStale;
      button.querySelector("[data-text]").textContent = errors ? say("publish v{n} (first solve {errors})", { n: S.stand.next, errors }) : say("publish v{n}", { n: S.stand.next });
    }
  }

  // ---- views --------------------------------------------------------------------------------------------

  function view(name) {
    S.view = name;
    for (const tab of page.querySelectorAll("[role=tab]")) {
      const isOn = tab.dataset.view === name;
      tab.setAttribute("aria-selected", String(isOn));
      tab.tabIndex = isOn ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = !isOn;
    }
    show();
  }
  function inject() {
    if (!window.Blockly || !R.toolbox) return;
    R.blocklyTexts();
    const isNarrow = () => page.clientWidth < 700;
    workspace = Blockly.inject(part("blocks"), {
      toolbox: R.toolbox(), theme: R.theme(), renderer: "zelos", media: page.dataset.media, sounds: false, trashcan: data.can_edit, readOnly: !data.can_edit,
      horizontalLayout: isNarrow(), grid: { spacing: 20, length: 1, colour: getComputedStyle(document.documentElement).getPropertyValue("--line-strong").trim(), snap: false },
      zoom: { controls: true, wheel: false, pinch: true, startScale: 0.9, maxScale: 1.6, minScale: 0.4, scaleSpeed: 1.15 },
      move: { scrollbars: true, drag: true, wheel: true }, collapse: false, comments: false, disable: false,
    });
    for (const name of ["undo", "redo"]) Blockly.ShortcutRegistry.registry.unregister(name);
    for (const id of ["undoWorkspace", "redoWorkspace", "blockHelp"]) if (Blockly.ContextMenuRegistry.registry.getItem(id)) Blockly.ContextMenuRegistry.registry.unregister(id);
    workspace.addChangeListener(Blockly.Events.disableOrphans);
    workspace.addChangeListener(heard);
    // The toolbox's drawer leaves its scroll bar behind when a block is dragged out of it.
    workspace.addChangeListener((event) => { if (event.type === Blockly.Events.TOOLBOX_ITEM_SELECT) part("blocks").classList.toggle("has-drawer", !!event.newItem); });
    new ResizeObserver(() => Blockly.svgResize(workspace)).observe(part("blocks"));
    new MutationObserver(() => workspace.setTheme(R.theme())).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
    R.workspace = workspace;
  }
  /* Bring the block or row of a finding into view. */
  function goTo(finding) {
    const at = S.rules.findIndex((one) => one.code === finding.rule);
    if (at < 0) return;
    if (at !== S.at) { S.at = at; show(); }
    if (!/^(when|then)/.test(finding.path)) return void R.focusSetting(finding.path);
    if (S.view === "blocks" && S.places) {
      const block = R.blockAt(S.places, finding.path);
      if (block) { workspace.centerOnBlock(block.id); Blockly.getFocusManager().focusNode(block); }
      part("blocks").scrollIntoView({ block: "nearest" });
    } else {
      const told = [...part("list").querySelectorAll("[data-fault]")].find((one) => !one.hidden), box = told && told.parentElement.querySelector("select,input");
      if (box) box.focus();
    }
  }
  function tabs(event) {
    const all = [...page.querySelectorAll("[role=tab]")], at = all.indexOf(event.target);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1 }[event.key];
    if (at < 0 || next === undefined) return;
    const tab = all[(next + all.length) % all.length];
    tab.focus();
    view(tab.dataset.view);
  }

  Object.assign(R, { S, page, part, change, look, save, rule, show, goTo, state, nameOf, errorsOf, isDirty, texts, fresh });
  R.start = function () {
    inject();
    for (const tab of page.querySelectorAll("[role=tab]")) tab.addEventListener("click", () => view(tab.dataset.view));
    page.addEventListener("keydown", tabs);
    part("undo").addEventListener("click", () => step(S.undo, S.redo));
    part("redo").addEventListener("click", () => step(S.redo, S.undo));
    part("stale").querySelector("[data-theirs]").addEventListener("click", takeTheirs);
    part("stale").querySelector("[data-mine]").addEventListener("click", keepMine);
    document.addEventListener("keydown", (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey || event.target.closest("input,textarea")) return;
      const key = event.key.toLowerCase();
      if (key === "z") { event.preventDefault(); if (event.shiftKey) step(S.redo, S.undo); else step(S.undo, S.redo); }
      if (key === "y") { event.preventDefault(); step(S.redo, S.undo); }
      if (key === "s") { event.preventDefault(); save(); }
    });
    window.addEventListener("beforeunload", (event) => { if (isDirty() && data.can_edit) event.preventDefault(); });
    view(workspace && page.clientWidth >= 700 ? "blocks" : "list");
    R.paintVersions();
    look();
    stand();
    setInterval(stand, STAND_MS);
    page.dataset.ready = "1";
  };
})();
