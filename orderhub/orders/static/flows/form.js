/* The form of one node: names, what its step is given, where its exits lead, and the conditions of a decision. */
(function () {
  "use strict";
  var MOST_BRANCHES = 8, DEEPEST = 3, count = 0;

  function make(tag, attributes, children) {
    var made = document.createElement(tag);
    Object.keys(attributes || {}).forEach(function (name) {
      if (name === "text") made.textContent = attributes[name];
      else if (name === "value") made.value = attributes[name];
      else if (attributes[name] !== false && attributes[name] !== null) made.setAttribute(name, attributes[name]);
    });
    (children || []).forEach(function (child) { if (child) made.appendChild(child); });
    return made;
  }
  function field(label, control, unit) {
    count += 1;
    control.id = control.id || "ff" + count;
    var box = make("div", { class: "oh-field" }, [make("label", { for: control.id, text: label })]);
    box.appendChild(unit ? make("div", { class: "oh-row" }, [control, make("span", { class: "oh-s13 oh-muted", text: unit })]) : control);
    return box;
  }
  function options(rows, value, empty) {
    var select = make("select", { class: "oh-input" });
    if (empty !== undefined) select.appendChild(make("option", { value: "", text: empty }));
    rows.forEach(function (row) { select.appendChild(make("option", { value: row.value, text: row.name })); });
    if (value && !rows.some(function (row) { return row.value === value; })) select.appendChild(make("option", { value: value, text: value }));
    select.value = value || "";
    return select;
  }

  function Form(box, model, told) {
    this.box = box; this.model = model; this.told = told; this.sentences = {};
    this.facts = {};
    told.facts.forEach(function (fact) { this.facts[fact.name] = fact; }, this);
  }

  Form.prototype.draw = function () {
    var held = document.activeElement && this.box.contains(document.activeElement) ? document.activeElement.dataset.key : "";
    var node = this.model.node(this.model.chosen), form = this, words = this.told.words;
    this.box.textContent = "";
    if (!node) { this.box.appendChild(make("p", { class: "oh-muted oh-s13", text: words.pick })); return; }
    var step = this.model.steps[node.step] || { name: node.step, params: [] };
    this.box.dataset.of = node.id;
    this.box.appendChild(make("h3", { class: "oh-b", text: step.name }));
    this.text(words.name_zh, "name", node.name || "", function (one, value) { if (value) one.name = value; else delete one.name; });
    this.text(words.name_en, "name_en", node.name_en || "", function (one, value) { if (value) one.name_en = value; else delete one.name_en; });
    step.params.forEach(function (param) { form.param(node, param); });
    if (node.step === "flow.decide") this.decision(node);
    else this.model.exits(node).forEach(function (exit) { form.box.appendChild(form.way(node, exit, words.exit_next)); });
    if (node.step !== "flow.start" && !this.told.readonly) {
      var button = make("button", { type: "button", class: "oh-btn oh-btn-sm oh-btn-bad", text: words.delete, "data-key": "delete" });
      button.addEventListener("click", function () { form.model.remove(node.id); });
      this.box.appendChild(button);
    }
    if (this.told.readonly) this.box.querySelectorAll("input, select, button").forEach(function (one) { one.disabled = true; });
    if (held) { var again = this.box.querySelector('[data-key="' + held + '"]'); if (again) again.focus(); }
  };

  Form.prototype.put = function (control, key, work) {
    var form = this, id = this.model.chosen;
    control.dataset.key = key;
    control.addEventListener("change", function () {
      form.model.edit(id, function (node) { work(node, control.value); });
    });
    return control;
  };
  Form.prototype.text = function (label, key, value, work) {
    var input = make("input", { class: "oh-input", type: "text", maxlength: 60, value: value, name: key });
    this.box.appendChild(field(label, this.put(input, key, function (node, text) { work(node, text.trim()); })));
  };
  Form.prototype.param = function (node, param) {
    var given = (node.with || {})[param.name], control;
    if (param.kind === "choice") control = options(param.choices, given, this.told.words.choose);
    else if (param.kind === "integer") control = make("input", { class: "oh-input", type: "number", min: param.low, max: param.high, step: 1, value: given === undefined ? "" : given });
    else if (param.kind === "time") control = make("input", { class: "oh-input", type: "time", value: given || "" });
    else control = make("input", { class: "oh-input", type: "text", maxlength: 200, value: given || "" });
    control.name = param.name;
    if (param.required) control.required = true;
    this.box.appendChild(field(param.label, this.put(control, "with-" + param.name, function (one, value) {
      one.with = one.with || {};
      if (value === "") delete one.with[param.name];
      else one.with[param.name] = param.kind === "integer" ? Math.round(Number(value)) : value;
    }), param.unit));
  };

  /* Where an exit leads: the same as drawing a line, by keys. */
  Form.prototype.way = function (node, exit, label) {
    var model = this.model, told = this.told, rows = model.way().filter(function (id) {
      return id !== node.id && model.node(id).step !== "flow.start";
    }).map(function (id) { return { value: id, name: model.label(model.node(id), told.lang) }; });
    var select = options(rows, model.target(node.id, exit), told.words.none);
    select.dataset.key = "way-" + node.id + "-" + exit;
    select.dataset.exit = exit;
    select.disabled = told.readonly;
    select.addEventListener("change", function () { model.connect(node.id, exit, select.value); });
    return field(label, select);
  };

  Form.prototype.decision = function (node) {
    var form = this, words = this.told.words;
    this.model.branches(node).forEach(function (branch, at) { form.box.appendChild(form.branch(node, branch, at)); });
    if (this.model.branches(node).length < MOST_BRANCHES) {
      var more = make("button", { type: "button", class: "oh-btn oh-btn-sm", text: words.add_branch, "data-key": "add-branch" });
      more.addEventListener("click", function () {
        form.model.edit(node.id, function (one) {
          one.with = { branches: form.model.branches(one).concat({ exit: form.model.freeExit(one), name: "", name_en: "", when: { all: [] } }) };
        });
      });
      this.box.appendChild(more);
    }
    this.box.appendChild(this.way(node, "else", words.exit_else + " → " + words.goes_to));
  };
  Form.prototype.branch = function (node, branch, at) {
    var form = this, words = this.told.words, name = this.model.exitName(node, branch.exit, words, this.told.lang);
    var box = make("fieldset", { class: "oh-fbranch", "data-branch": branch.exit }, [make("legend", { text: words.branch + " " + (at + 1) })]);
    var names = make("div", { class: "oh-fnames" });
    ["name", "name_en"].forEach(function (key) {
      var input = make("input", { class: "oh-input", type: "text", maxlength: 60, value: branch[key] || "" });
      names.appendChild(field(key === "name" ? words.name_zh : words.name_en, form.put(input, at + key, function (one, value) { one.with.branches[at][key] = value.trim(); })));
    });
    box.appendChild(names);
    box.appendChild(this.group(node, branch.when, function (when) {
      form.model.edit(node.id, function (one) { one.with.branches[at].when = when; });
    }, 1, words.condition_of.replace("%s", name), "b" + at));
    var said = (this.sentences[node.id] || {})[branch.exit];
    box.appendChild(make("p", { class: "oh-s13 oh-soft oh-fsaid", "data-sentence": branch.exit, text: said || "" }));
    box.appendChild(this.way(node, branch.exit, words.goes_to));
    if (this.model.branches(node).length > 1) {
      var button = make("button", { type: "button", class: "oh-btn oh-btn-sm oh-btn-ghost", text: words.remove_branch });
      button.addEventListener("click", function () {
        form.model.edit(node.id, function (one, doc) {
          one.with.branches.splice(at, 1);
          doc.edges = doc.edges.filter(function (edge) { return edge.from !== node.id || edge.exit !== branch.exit; });
        });
      });
      box.appendChild(button);
    }
    return box;
  };

  /* A group of conditions: all or any of rows and groups. `put` takes the whole group anew. */
  Form.prototype.group = function (node, when, put, depth, label, key) {
    var form = this, words = this.told.words;
    if (when && "fact" in when) when = { all: [when] };
    var word = when && "any" in when ? "any" : "all", parts = when && Array.isArray(when[word]) ? when[word] : null;
    if (!parts) return make("p", { class: "oh-s13 oh-muted", text: words.complex });
    function anew(changed, kind) { var made = {}; made[kind || word] = changed; put(made); }
    var select = options([{ value: "all", name: words.all }, { value: "any", name: words.any }], word);
    select.setAttribute("aria-label", label);
    select.dataset.key = key + "word";
    select.addEventListener("change", function () { anew(parts, select.value); });
    var box = make("div", { class: "oh-fgroup", role: "group", "aria-label": label }, [select]);
    parts.forEach(function (part, at) {
      function set(changed) { var next = window.HubFlow.copy(parts); next[at] = changed; anew(next); }
      var gone = make("button", { type: "button", class: "oh-btn oh-btn-sm oh-btn-ghost", text: "×", "aria-label": words.remove, "data-key": key + "x" + at });
      gone.addEventListener("click", function () { anew(parts.filter(function (_one, other) { return other !== at; })); });
      var inner = part && "fact" in part ? form.row(part, set, key + "-" + at) : form.group(node, part, set, depth + 1, label, key + "-" + at);
      box.appendChild(make("div", { class: "oh-frow" }, [inner, gone]));
    });
    var first = this.told.facts[0];
    var row = make("button", { type: "button", class: "oh-btn oh-btn-sm", text: words.add_row, "data-key": key + "add", "data-add-row": "" });
    row.addEventListener("click", function () { anew(parts.concat({ fact: first.name, op: first.ops[0], value: "" })); });
    var tools = make("div", { class: "oh-row" }, [row]);
    if (depth < DEEPEST) {
      var group = make("button", { type: "button", class: "oh-btn oh-btn-sm oh-btn-ghost", text: words.add_group, "data-key": key + "group" });
      group.addEventListener("click", function () { anew(parts.concat({ any: [{ fact: first.name, op: first.ops[0], value: "" }] })); });
      tools.appendChild(group);
    }
    box.appendChild(tools);
    return box;
  };

  Form.prototype.row = function (part, set, key) {
    var words = this.told.words, facts = this.facts, fact = facts[part.fact] || { name: part.fact, type: "text", ops: [part.op], choices: [], unit: "", label: part.fact };
    var which = options(this.told.facts.map(function (one) { return { value: one.name, name: one.label }; }), part.fact);
    var op = options(fact.ops.map(function (one) { return { value: one, name: words["op_" + one] || one }; }), part.op);
    var value = this.value(fact, part.op, part.value);
    [[which, words.fact, "fact"], [op, words.op, "op"], [value, words.value, "value"]].forEach(function (row) {
      row[0].setAttribute("aria-label", row[1]);
      row[0].dataset.key = key + row[2];
      row[0].dataset.part = row[2];
    });
    which.addEventListener("change", function () {
      var next = facts[which.value], first = next.type === "boolean" ? true : next.choices.length && next.ops[0] === "==" ? next.choices[0] : "";
      set({ fact: next.name, op: next.type === "boolean" ? "==" : next.ops[0], value: first });
    });
    op.addEventListener("change", function () {
      set({ fact: part.fact, op: op.value, value: op.value === "is_set" ? true : read(fact, op.value, write(part.op, part.value)) });
    });
    value.addEventListener("change", function () { set({ fact: part.fact, op: part.op, value: read(fact, part.op, value.value) }); });
    return make("div", { class: "oh-fcond" }, [which, op, value, fact.unit ? make("span", { class: "oh-s12 oh-muted", text: fact.unit }) : null]);
  };
  Form.prototype.value = function (fact, op, value) {
    var words = this.told.words, yes = [{ value: "true", name: words.yes }, { value: "false", name: words.no }];
    if (fact.type === "boolean" || op === "is_set") return options(yes, String(value) === "false" ? "false" : "true");
    if (fact.choices.length && (op === "==" || op === "!=")) {
      return options(fact.choices.map(function (one) { return { value: one, name: one }; }), value, words.choose);
    }
    var hints = { between: words.two_values, in: words.many_values, not_in: words.many_values, within: words.window };
    var isNumber = fact.type !== "text" && fact.type !== "list[text]" && fact.type !== "datetime" && !hints[op];
    return make("input", { class: "oh-input", type: "text", inputmode: isNumber ? "decimal" : false, maxlength: 200, value: write(op, value), placeholder: hints[op] || fact.example || "", title: hints[op] || false });
  };

  function write(op, value) {
    if (Array.isArray(value)) return value.join(", ");
    if (value && typeof value === "object") return value.from + "–" + value.to;
    return value === undefined || value === null ? "" : String(value);
  }
  function scalar(fact, text) {
    var isWhole = fact.type === "integer" && /^-?\d{1,12}$/.test(text);
    return isWhole ? Number(text) : text;
  }
  function read(fact, op, text) {
    var plain = String(text).trim();
    if (fact.type === "boolean" || op === "is_set") return plain !== "false";
    if (op === "within") { var ends = plain.split(/\s*[–~-]\s*/); return { from: ends[0] || "", to: ends[1] || "" }; }
    if (op === "in" || op === "not_in" || op === "between") {
      return plain.split(/\s*[,，、]\s*/).filter(Boolean).map(function (one) { return scalar(fact, one); });
    }
    return scalar(fact, plain);
  }

  /* Only the sentences, as the form must not lose the focus while somebody types. */
  Form.prototype.say = function (sentences) {
    var said = sentences[this.model.chosen] || {};
    this.sentences = sentences;
    this.box.querySelectorAll("[data-sentence]").forEach(function (one) { one.textContent = said[one.dataset.sentence] || ""; });
  };

  window.HubFlow.Form = Form;
  window.HubFlow.make = make;
})();
