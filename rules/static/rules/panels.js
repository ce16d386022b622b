/* Conflicts and what to do about them, what the draft changes, the versions, and publishing; begins the page. */
(function () {
  "use strict";
  const R = window.ohRules, { make, say, data, S, part, ask, change } = R;

  // ---- conflicts ------------------------------------------------------------------------------------------

  R.paintFindings = function () {
    const errors = S.findings.filter((one) => one.level === "error").length, warnings = S.findings.length - errors;
    part("errors").textContent = String(errors);
    part("errors").parentElement.hidden = !errors;
    part("warnings").textContent = String(warnings);
    part("warnings").parentElement.hidden = !warnings;
    part("findings").replaceChildren(...(S.findings.length ? S.findings.map(finding) : [make("li", { class: "oh-s13 oh-muted" }, say("nothing stands in the way"))]));
  };
  function finding(one) {
    const rule = S.rules.find((x) => x.code === one.rule), isError = one.level === "error";
    const button = (word, deed) => make("button", { type: "button", class: "oh-re-fix", onclick: deed }, say(word));
    const fixes = [rule ? button("show it", () => R.goTo(one)) : null];
    if (rule && data.can_edit && ["tie", "unreachable", "overlap"].includes(one.code)) {
      fixes.push(button("this one first", () => first(rule)));
      if (rule.group) fixes.push(button("let both count", () => { change(() => { rule.group = ""; }); R.show(); }));
    }
    return make("li", { class: `oh-re-finding ${isError ? "t-bad" : "t-warn"}`, "data-code": one.code },
      make("b", {}, say(isError ? "to solve" : "to look at")), rule ? make("span", {}, ` ${R.nameOf(rule)}: `) : " ", make("span", {}, one.text), make("div", { class: "oh-row" }, ...fixes));
  }
  function first(rule) {
    change(() => {
      const open = R.rule(), rivals = S.rules.filter((one) => one !== rule && one.group === rule.group);
      rule.priority = Math.min(...(rivals.length ? rivals : S.rules).map((one) => one.priority)) - 1;
      S.rules.sort((a, b) => a.priority - b.priority || (a.code < b.code ? -1 : 1));
      S.at = S.rules.indexOf(open);
    });
    R.show();
  }

  // ---- what the draft changes -------------------------------------------------------------------------------

  const WORDS = { "+": "new", "−": "gone", "~": "changed" };
  function changeRows() {
    return S.changes.length ? S.changes.map((one) => make("li", { class: "oh-re-change" }, make("span", { class: `oh-tag ${one.sign === "−" ? "t-bad" : one.sign === "+" ? "t-ok" : "t-warn"}` }, say(WORDS[one.sign])), " ", one.text)) : [make("li", { class: "oh-muted" }, say("says what is in force"))];
  }
  R.paintChanges = function () { part("changes").replaceChildren(...changeRows()); };

  // ---- versions -----------------------------------------------------------------------------------------------

  R.paintVersions = function () {
    part("in-force").textContent = S.stand.in_force ? say("v{n} in force", { n: S.stand.in_force }) : say("never published");
    part("draft").textContent = say("draft v{n}", { n: S.stand.next });
    const waiting = S.stand.versions.filter((one) => one.is_waiting), note = part("waiting");
    note.hidden = !waiting.length;
    note.querySelector("[data-text]").textContent = waiting.map((one) => `v${one.number} ${one.state}`).join(", ");
    part("versions").replaceChildren(...(S.stand.versions.length ? S.stand.versions.map(version) : [make("li", { class: "oh-muted oh-s13" }, say("never published"))]));
  };
  function version(one) {
    const button = (word, deed) => make("button", { type: "button", class: "oh-btn oh-btn-sm", "data-version": one.number, onclick: deed }, say(word, { n: one.number }));
    return make("li", { class: "oh-re-version" },
      make("div", { class: "oh-row" }, make("a", { class: "oh-link oh-b", href: one.url }, `v${one.number}`), one.state ? make("span", { class: `oh-pill ${one.is_in_force ? "t-ok" : one.is_waiting ? "t-go" : "t-wait"}` }, one.state) : null, make("span", { class: "oh-s12 oh-muted" }, `${one.at} · ${one.by}`)),
      one.note ? make("p", { class: "oh-s12" }, one.note) : null,
      make("p", { class: "oh-s12 oh-soft" }, one.rules.join(" · ")),
      make("div", { class: "oh-row" },
        data.can_publish && !one.is_in_force && !one.is_waiting ? button("back to v{n}", () => restore(one)) : null,
        data.can_publish && one.is_waiting ? button("withdraw v{n}", () => withdraw(one)) : null,
        data.can_edit ? button("v{n} as draft", () => asDraft(one)) : null));
  }
  async function asDraft(one) {
    const answer = await ask("version", { number: one.number });
    if (!answer.ok) return void R.state(answer.text);
    change(() => { S.rules = answer.rules; S.at = 0; });
    R.show();
    window.orderhub.toast(say("v{n} is the draft now", { n: one.number }), { undo: say("undo"), onUndo: () => part("undo").click() });
  }
  async function restore(one, isUndo) {
    if (!isUndo && !(await confirmed(say("back to v{n}", { n: one.number }), say("what v{n} says counts again", { n: one.number }), one.rules))) return;
    done(await ask("restore", { number: one.number }));
  }
  async function withdraw(one) { done(await ask("withdraw", { number: one.number })); }

  /* Tell what was done; where another version was in force before, one press takes it back. */
  function done(answer) {
    if (!answer.ok) { R.state(answer.text); window.orderhub.toast(answer.text); return false; }
    S.stand = answer.stand;
    R.paintVersions();
    R.show();
    R.look();
    window.orderhub.toast(answer.text, answer.back ? { undo: say("back to v{n}", { n: answer.back }), onUndo: () => restore({ number: answer.back }, true) } : {});
    return true;
  }

  // ---- publishing -----------------------------------------------------------------------------------------------

  const dialog = part("dialog");
  function confirmed(title, effect, lines) {
    const box = part("confirm");
    box.querySelector("h2").textContent = title;
    box.querySelector("[data-effect]").textContent = effect;
    box.querySelector("[data-lines]").replaceChildren(...lines.map((line) => make("li", {}, line)));
    box.returnValue = "";
    box.showModal();
    return new Promise((resolve) => box.addEventListener("close", () => resolve(box.returnValue === "yes"), { once: true }));
  }
  async function open() {
    if (R.isDirty() && !(await R.save())) return;
    await R.look();
    dialog.querySelector("h2").textContent = say("publish v{n}", { n: S.stand.next });
    dialog.querySelector("[data-lines]").replaceChildren(...changeRows());
    const warnings = S.findings.filter((one) => one.level === "warning");
    dialog.querySelector("[data-warnings]").replaceChildren(...warnings.map((one) => make("li", {}, one.text)));
    dialog.querySelector("[data-warned]").hidden = !warnings.length;
    dialog.querySelector(".oh-err").hidden = true;
    dialog.showModal();
  }
  async function publish(event) {
    event.preventDefault();
    const form = event.target, button = form.querySelector("[data-yes]"), fault = form.querySelector(".oh-err");
    button.disabled = true;
    const answer = await ask("publish", { token: S.token, note: form.elements.note.value, effective_at: form.elements.when.value === "later" ? form.elements.effective_at.value : "" });
    button.disabled = false;
    fault.hidden = answer.ok;
    fault.textContent = answer.ok ? "" : answer.text;
    if (!answer.ok) return;
    form.reset();
    dialog.close();
    done(answer);
  }
  if (part("publish")) {
    part("publish").addEventListener("click", open);
    dialog.querySelector("form").addEventListener("submit", publish);
    dialog.querySelector("[name=effective_at]").addEventListener("input", () => { dialog.querySelector("[value=later]").checked = true; });
  }
  for (const box of R.page.querySelectorAll("dialog")) for (const button of box.querySelectorAll("[data-no]")) button.addEventListener("click", () => box.close());

  R.start();
})();
