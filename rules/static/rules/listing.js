/* The same rule as a list of boxes: everything the blocks can do, for keys, screen readers and small screens. */
(function () {
  "use strict";
  const R = window.ohRules, { make, say, labelOf, facts, actions, select, box } = R;
  const GROUPS = () => [["all", say("all hold")], ["any", say("any holds")], ["not", say("does not hold")]];
  const wordOf = (tree) => ["all", "any", "not"].find((word) => tree && typeof tree === "object" && word in tree && Object.keys(tree).length === 1);

  /* Draw the list into `holder`; `changed(rule)` is called with the new rule, `isOff` forbids changes. */
  function list(holder, rule, changed, isOff) {
    let now = structuredClone({ when: rule.when, then: rule.then });
    const tell = (redraw, focus) => {
      changed(structuredClone(now));
      if (redraw) { paint(); const target = focus && holder.querySelector(focus); if (target) target.focus(); }
    };
    function paint() {
      holder.replaceChildren(
        make("section", { class: "oh-re-part", "aria-label": say("when") }, make("h3", {}, say("when")), condition(now.when, "when", (tree) => { now.when = tree; }, null)),
        make("section", { class: "oh-re-part", "aria-label": say("then") }, make("h3", {}, say("then")), deeds()),
      );
    }

    // ---- conditions ---------------------------------------------------------------------------------------

    function condition(tree, path, put, move) {
      const word = wordOf(tree);
      const isKnown = (word === "not" ? tree.not && typeof tree.not === "object" : word && Array.isArray(tree[word])) || R.isComparison(tree);
      if (!isKnown) return row(path, "is-raw", make("span", { class: "oh-muted" }, say("as written")), make("code", {}, JSON.stringify(tree)), ...tools(move, path, say("as written")));
      return word ? group(tree, word, path, put, move) : comparison(tree, path, put, move);
    }

    function comparison(tree, path, put, move) {
      const fact = facts.get(tree.fact), label = labelOf(fact), spec = R.operand(fact, tree.op), was = tree.value;
      const options = [...facts.values()].map((one) => [one.name, labelOf(one)]);
      const asFact = select(options, tree.fact, say("what is compared"), (name) => { put(fresh(facts.get(name))); tell(true, at(path)); });
      const asOp = select(R.opsOf(fact).map((op) => [op, R.opWord ? R.opWord(fact, op) : op]), tree.op, say("comparison of {label}", { label }), (op) => {
        const next = R.operand(fact, op), value = next.kind === spec.kind ? tree.value : next.kind === "picks" && typeof tree.value === "string" && tree.value ? [tree.value] : R.first(next, fact.example);
        put({ fact: tree.fact, op, value });
        tell(true, `${at(path)} select:nth-of-type(2)`);
      });
      const value = box(spec, R.toText(spec, tree.value), label, (text) => { tree.value = R.keep(spec, text, was); tell(false); }, isOff);
      asFact.disabled = asOp.disabled = isOff;
      return row(path, "", asFact, asOp, value, fact.unit && tree.op !== "is_set" ? fact.unit : null, ...tools(move, path, label));
    }

    function group(tree, word, path, put, move) {
      const isNot = word === "not", parts = isNot ? [tree.not] : tree[word];
      const kind = select(GROUPS(), word, say("how these go together"), (next) => { put(next === "not" ? { not: parts.length === 1 ? parts[0] : { [isNot ? "all" : word]: parts } } : { [next]: parts }); tell(true, at(path)); });
      kind.disabled = isOff;
      const items = parts.map((part, n) => {
        const inner = isNot ? `${path}.not` : `${path}.${word}[${n}]`;
        const store = (made) => { if (isNot) tree.not = made; else parts[n] = made; };
        const shift = isNot ? null : {
          up: n > 0 && (() => { [parts[n - 1], parts[n]] = [parts[n], parts[n - 1]]; tell(true, at(`${path}.${word}[${n - 1}]`)); }),
          down: n < parts.length - 1 && (() => { [parts[n + 1], parts[n]] = [parts[n], parts[n + 1]]; tell(true, at(`${path}.${word}[${n + 1}]`)); }),
          remove: () => { parts.splice(n, 1); tell(true, at(path)); },
        };
        return make("li", {}, condition(part, inner, store, shift));
      });
      const more = isNot ? null : adder(path, (made) => { parts.push(made); tell(true, at(`${path}.${word}[${parts.length - 1}]`)); });
      return make("div", { class: `oh-re-group is-${word}`, "data-path": path }, make("div", { class: "oh-re-row" }, kind, ...tools(move, path, say("group"))), fault(), make("ul", {}, ...items), more);
    }

    function adder(path, add) {
      const options = [["", say("add condition")], ...[...facts.values()].map((one) => [one.name, labelOf(one)]), ["any", say("group: any holds")], ["all", say("group: all hold")], ["not", say("group: does not hold")]];
      const node = select(options, "", say("add condition"), (name) => {
        if (!name) return;
        const some = fresh(facts.get("order.total") || [...facts.values()][0]);
        add(facts.has(name) ? fresh(facts.get(name)) : name === "not" ? { not: some } : { [name]: [some] });
      });
      node.dataset.add = path;
      node.classList.add("oh-re-add");
      node.disabled = isOff;
      return node;
    }

    function fresh(fact) {
      const ops = R.opsOf(fact), op = ops.includes(">=") ? ">=" : ops[0];
      return { fact: fact.name, op, value: R.first(R.operand(fact, op), fact.example) };
    }

    // ---- actions ------------------------------------------------------------------------------------------

    function deeds() {
      const then = now.then;
      const items = then.map((deed, n) => make("li", {}, action(deed, n, {
        up: n > 0 && (() => { [then[n - 1], then[n]] = [then[n], then[n - 1]]; tell(true, at(`then[${n - 1}]`)); }),
        down: n < then.length - 1 && (() => { [then[n + 1], then[n]] = [then[n], then[n + 1]]; tell(true, at(`then[${n + 1}]`)); }),
        remove: () => { then.splice(n, 1); tell(true, "[data-add=then]"); },
      })));
      const more = select([["", say("add action")], ...[...actions.values()].map((one) => [one.name, labelOf(one)])], "", say("add action"), (name) => {
        if (!name) return;
        const action = actions.get(name), given = {};
        for (const param of action.params) { const value = R.first(R.parameter(action, param)); if (value !== undefined) given[param.name] = value; }
        then.push(Object.keys(given).length ? { do: name, with: given } : { do: name });
        tell(true, at(`then[${then.length - 1}]`));
      });
      more.dataset.add = "then";
      more.classList.add("oh-re-add");
      more.disabled = isOff;
      return make("div", { class: "oh-re-group" }, make("ul", {}, ...items), more);
    }

    function action(deed, n, move) {
      const path = `then[${n}]`;
      if (!R.isDeed(deed)) return row(path, "is-raw", make("span", { class: "oh-muted" }, say("as written")), make("code", {}, JSON.stringify(deed)), ...tools(move, path, say("as written")));
      const word = actions.get(deed.do), name = labelOf(word);
      const fields = word.params.map((param) => {
        const spec = R.parameter(word, param), label = labelOf(param), was = (deed.with || {})[param.name];
        const field = box(spec, R.toText(spec, was), `${name}: ${label}`, (text) => {
          const value = R.keep(spec, text, was), given = { ...(deed.with || {}) };
          if (value === undefined) delete given[param.name]; else given[param.name] = value;
          if (Object.keys(given).length || deed.with) deed.with = given;
          tell(false);
        }, isOff);
        return make("div", { class: "oh-re-param", "data-param": param.name }, make("span", { class: "oh-s12 oh-soft" }, label, param.required ? null : make("span", { class: "oh-muted" }, ` ${say("optional")}`)), field);
      });
      return make("div", { class: "oh-re-deed", "data-path": path }, make("div", { class: "oh-re-row" }, make("b", {}, name), ...tools(move, path, name)), fault(), fields.length ? make("div", { class: "oh-re-params" }, ...fields) : null);
    }

    // ---- parts of both --------------------------------------------------------------------------------------

    const at = (path) => `[data-path="${path}"] select, [data-path="${path}"] input, [data-add="${path}"]`;
    const fault = () => make("p", { class: "oh-err", "data-fault": "", hidden: true });
    function row(path, kind, ...inner) { return make("div", { class: `oh-re-leaf ${kind}`, "data-path": path }, make("div", { class: "oh-re-row" }, ...inner), fault()); }
    function tools(move, path, label) {
      if (!move || isOff) return [];
      const safe = (sign, word, deed) => make("button", { type: "button", class: "oh-btn oh-btn-sm oh-btn-ghost", "aria-label": say(word, { label }), disabled: !deed, onclick: () => deed() }, sign);
      return [make("span", { class: "oh-re-tools" }, safe("↑", "earlier: {label}", move.up), safe("↓", "later: {label}", move.down), safe("×", "take out: {label}", move.remove))];
    }

    paint();
    return { mark: (path, text) => mark(holder, path, text), clear: () => holder.querySelectorAll("[data-fault]").forEach((one) => { one.hidden = true; one.textContent = ""; }) };
  }

  /* Say what is wrong at the row a path leads to; whether there is one. */
  function mark(holder, path, text) {
    const rows = [...holder.querySelectorAll("[data-path]")].filter((one) => path === one.dataset.path || path.startsWith(`${one.dataset.path}.`) || path.startsWith(`${one.dataset.path}[`));
    const row = rows.sort((a, b) => b.dataset.path.length - a.dataset.path.length)[0], told = row && row.querySelector("[data-fault]");
    if (!told) return false;
    told.textContent = told.textContent ? `${told.textContent} ${text}` : text;
    told.hidden = false;
    return true;
  }

  R.list = list;
})();
