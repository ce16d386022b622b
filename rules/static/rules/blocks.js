/* Blocks made from the vocabulary: one for each fact with the comparisons its type allows, one for each action with
   its typed parameters, and all, any, not. What a block cannot show stays as it is in a read-only block. */
(function () {
  "use strict";
  const R = window.ohRules, { say, labelOf, facts, actions } = R;
  if (!window.Blockly) return;
  const SIGNS = { "==": "=", "!=": "≠", ">=": "≥", ">": ">", "<=": "≤", "<": "<" };
  const FIGURES = new Set(["number", "money", "integer"]);
  const CONDITION = "condition", ACTION = "action";

  /* How an operator reads on a block. */
  function opWord(fact, op) {
    if (fact.type === "boolean") return { "==": say("is"), "!=": say("is not"), is_set: say("op is_set") }[op];
    return FIGURES.has(fact.type) && SIGNS[op] ? SIGNS[op] : say(`op ${fact.type === "list[text]" ? "list " : ""}${op}`);
  }

  // ---- fields -----------------------------------------------------------------------------------------

  /* A value that opens its box beneath the block; its own value is the text of that box. */
  class FieldAsk extends Blockly.Field {
    constructor(spec, text, label) {
      super(Blockly.Field.SKIP_SETUP);
      this.spec = spec;
      this.label = label;
      this.SERIALIZABLE = true;
      this.CURSOR = "pointer";
      this.setValue(text);
    }
    getText_() {
      const text = R.words(this.spec, this.value_ ? JSON.parse(this.jsonText()) : undefined);
      return text.length > 42 ? `${text.slice(0, 41)}…` : text;
    }
    jsonText() { return this.spec.kind === "pick" || this.spec.kind === "moment" ? JSON.stringify(this.value_) : this.value_; }
    showEditor_() {
      const style = getComputedStyle(document.documentElement);
      // Clearing makes a new content element: it is asked for afterwards.
      Blockly.DropDownDiv.clearContent();
      const holder = Blockly.DropDownDiv.getContentDiv();
      // The button stands above the box: what is found opens beneath it, and moves nothing that is being pressed.
      const close = R.make("button", { type: "button", class: "oh-btn oh-btn-sm", onclick: () => Blockly.DropDownDiv.hideIfOwner(this) }, say("done"));
      const node = R.make("div", { class: "oh oh-re-ask" }, R.make("div", { class: "oh-row oh-between" }, R.make("b", { class: "oh-s13" }, this.label), close), R.box(this.spec, this.getValue(), this.label, (text) => this.setValue(text)));
      node.addEventListener("keydown", (event) => { if (event.key !== "Escape") event.stopPropagation(); });
      holder.append(node);
      Blockly.DropDownDiv.setColour(style.getPropertyValue("--raised"), style.getPropertyValue("--line-strong"));
      Blockly.DropDownDiv.showPositionedByField(this, () => {});
      const input = node.querySelector("input,select");
      if (input) setTimeout(() => input.focus(), 0);
    }
    getAriaTypeName() { return this.label; }
    getAriaValue() { return this.getText(); }
  }

  /* The field for a value; "" stands for one left out. */
  function fieldOf(spec, text, label) {
    if (spec.isFlag && spec.optional) return new Blockly.FieldCheckbox(text === "true" ? "TRUE" : "FALSE");
    if (spec.kind === "yesno") return dropdown([[spec.words[0], "true"], [spec.words[1], "false"]], text);
    if (spec.kind === "pick" && spec.closed) return dropdown(spec.choices.map(([value, word]) => [word || value, value]), text);
    if (["picks", "pick", "moment", "moments", "window"].includes(spec.kind)) return new FieldAsk(spec, text, label);
    const field = new Blockly.FieldTextInput(text);
    if (spec.kind !== "text") field.setValidator((typed) => (R.isTyped(spec, typed) ? typed.trim() : null));
    return field;
  }
  function dropdown(options, value) {
    const all = options.some((one) => one[1] === value) ? options : [[value || "–", value], ...options];
    const field = new Blockly.FieldDropdown(all);
    field.setValue(value);
    return field;
  }
  function textOf(block, name) {
    const field = block.getField(name), value = field.getValue();
    return field instanceof Blockly.FieldCheckbox ? value.toLowerCase() : value;
  }

  // ---- conditions -------------------------------------------------------------------------------------

  function condition(block) {
    block.setPreviousStatement(true, CONDITION);
    block.setNextStatement(true, CONDITION);
  }

  function defineFact(fact) {
    const ops = R.opsOf(fact);
    Blockly.Blocks[`fact:${fact.name}`] = {
      init() {
        condition(this);
        this.setStyle("fact_blocks");
        this.setInputsInline(true);
        this.setTooltip(fact.name);
        const field = new Blockly.FieldDropdown(ops.map((op) => [opWord(fact, op), op]));
        this.appendDummyInput("HEAD").appendField(labelOf(fact)).appendField(field, "OP");
        field.setValidator((op) => { if (op !== this.op && this.op) this.shape(op, this.carried(op)); return op; });
        this.shape(ops.includes(">=") && FIGURES.has(fact.type) ? ">=" : ops[0]);
        this.setFieldValue(this.op, "OP");
      },
      /* The fields for an operator, holding `value` (JSON). */
      shape(op, value) {
        const spec = R.operand(fact, op), given = value === undefined ? R.first(spec, fact.example) : value;
        if (this.getInput("VALUE")) this.removeInput("VALUE");
        this.op = op;
        this.spec = spec;
        const input = this.appendDummyInput("VALUE"), text = R.toText(spec, given);
        if (spec.kind === "pair") {
          const ends = text.split(",").map((one) => one.trim());
          input.appendField(fieldOf({ ...spec, kind: "figure" }, ends[0] || "", labelOf(fact)), "LOW").appendField("–");
          input.appendField(fieldOf({ ...spec, kind: "figure" }, ends[1] || "", labelOf(fact)), "HIGH");
        } else {
          input.appendField(fieldOf(spec, text, labelOf(fact)), "ONE");
        }
        if (fact.unit && op !== "is_set") input.appendField(fact.unit);
      },
      typed() { return this.spec.kind === "pair" ? `${textOf(this, "LOW")}, ${textOf(this, "HIGH")}` : textOf(this, "ONE"); },
      /* What of the value another operator can go on with. */
      carried(op) {
        const next = R.operand(fact, op), value = R.fromText(this.spec, this.typed());
        if (next.kind === this.spec.kind) return value;
        if (next.kind === "picks" && typeof value === "string" && value) return [value];
        return undefined;
      },
      json() {
        const was = this.was && this.was.op === this.op ? this.was.value : undefined;
        return { fact: fact.name, op: this.op, value: R.keep(this.spec, this.typed(), was) };
      },
      saveExtraState() { return { op: this.op, was: this.was, now: R.fromText(this.spec, this.typed()) }; },
      loadExtraState(state) {
        this.was = state.was;
        this.shape(state.op, state.now);
        this.setFieldValue(state.op, "OP");
      },
    };
  }

  function defineGroup(type, word) {
    Blockly.Blocks[type] = {
      init() {
        condition(this);
        this.setStyle("group_blocks");
        this.appendDummyInput().appendField(say(word));
        this.appendStatementInput("PARTS").setCheck(CONDITION);
      },
    };
  }

  // ---- actions ----------------------------------------------------------------------------------------

  function defineAction(action) {
    const specs = new Map(action.params.map((param) => [param.name, R.parameter(action, param)]));
    Blockly.Blocks[`act:${action.name}`] = {
      init() {
        this.setPreviousStatement(true, ACTION);
        this.setNextStatement(true, ACTION);
        this.setStyle("act_blocks");
        this.setTooltip(action.name);
        this.setInputsInline(true);
        this.open = new Set();
        this.fill({});
      },
      /* The fields, holding these parameters; what is missing begins with something sensible where `isNew`. What may be
         left out and is stands in the menu at the end, which brings its field. */
      fill(given, isNew) {
        for (const input of [...this.inputList]) this.removeInput(input.name);
        this.appendDummyInput("HEAD").appendField(labelOf(action));
        const away = [];
        for (const param of action.params) {
          const spec = specs.get(param.name), value = param.name in given ? given[param.name] : isNew ? R.first(spec) : undefined;
          if (param.required || param.name in given) this.open.add(param.name);
          if (this.open.has(param.name)) this.appendDummyInput(`P:${param.name}`).appendField(labelOf(param)).appendField(fieldOf(spec, R.toText(spec, value), labelOf(param)), param.name);
          else away.push([labelOf(param), param.name]);
        }
        if (!away.length) return;
        const more = new Blockly.FieldDropdown([["＋", ""], ...away], (name) => { if (name) setTimeout(() => this.bring(name), 0); return name ? null : name; });
        this.appendDummyInput("MORE").appendField(more, "MORE");
      },
      bring(name) {
        if (this.isDisposed() || this.open.has(name)) return;
        const spec = specs.get(name), given = { ...this.was, ...(this.json().with || {}) };
        this.open.add(name);
        if (spec.isFlag) given[name] = true;
        this.fill(given);
        Blockly.Events.fire(new (Blockly.Events.get(Blockly.Events.BLOCK_CHANGE))(this, "mutation", null, "", name));
        const field = this.getField(name);
        if (field && this.workspace.rendered) Blockly.getFocusManager().focusNode(field);
      },
      json() {
        const was = this.was || {}, given = {};
        for (const [name, spec] of specs) {
          const value = this.getField(name) ? R.keep(spec, textOf(this, name), was[name]) : was[name];
          if (value !== undefined && !(value === "" && !(name in was))) given[name] = value;
        }
        if (this.hasNoWith && !Object.keys(given).length) return { do: action.name };
        return Object.keys(given).length || this.was ? { do: action.name, with: given } : { do: action.name };
      },
      saveExtraState() { return { was: this.was, none: this.hasNoWith, now: this.json().with || {} }; },
      loadExtraState(state) {
        this.was = state.was;
        this.hasNoWith = !!state.none;
        this.fill(state.now || {}, state.isNew);
      },
    };
  }

  // ---- the rule, and what cannot be drawn ----------------------------------------------------------------

  Blockly.Blocks.rule = {
    init() {
      this.setStyle("rule_blocks");
      this.setDeletable(false);
      const mode = new Blockly.FieldDropdown([[say("all hold"), "all"], [say("any holds"), "any"]]);
      this.appendDummyInput("HEAD").appendField(say("rule")).appendField(new Blockly.FieldLabel(""), "NAME");
      this.appendDummyInput("IF").appendField(say("when")).appendField(mode, "MODE");
      this.appendStatementInput("WHEN").setCheck(CONDITION);
      this.appendDummyInput("DO").appendField(say("then"));
      this.appendStatementInput("THEN").setCheck(ACTION);
    },
    saveExtraState() { return { bare: !!this.bare }; },
    loadExtraState(state) { this.bare = !!state.bare; },
  };

  function defineRaw(type, check) {
    Blockly.Blocks[type] = {
      init() {
        this.setStyle("raw_blocks");
        this.setPreviousStatement(true, check);
        this.setNextStatement(true, check);
        this.appendDummyInput().appendField(say("as written")).appendField(new Blockly.FieldLabel(""), "SHOWN");
      },
      json() { return this.raw; },
      saveExtraState() { return { raw: this.raw }; },
      loadExtraState(state) {
        const text = JSON.stringify(state.raw);
        this.raw = state.raw;
        this.setFieldValue(text.length > 60 ? `${text.slice(0, 59)}…` : text, "SHOWN");
        this.setTooltip(text);
      },
    };
  }

  for (const fact of facts.values()) defineFact(fact);
  for (const action of actions.values()) defineAction(action);
  defineGroup("all", "all hold");
  defineGroup("any", "any holds");
  defineGroup("not", "does not hold");
  defineRaw("raw_condition", CONDITION);
  defineRaw("raw_action", ACTION);

  // ---- toolbox and theme ------------------------------------------------------------------------------

  /* In the order people look for: what is common first, as the vocabulary has it. */
  function toolbox() {
    const block = (type, extraState) => ({ kind: "block", type, ...(extraState ? { extraState } : {}) });
    const named = (kind, style, contents) => ({ kind: "category", name: say(kind), categorystyle: style, contents });
    const part = (prefix) => [...facts.values()].filter((fact) => (prefix ? fact.name.startsWith(prefix) : !/^(order|customer)\./.test(fact.name))).map((fact) => block(`fact:${fact.name}`));
    const all = [
      named("about the order", "fact_category", part("order.")),
      named("about the customer", "fact_category", part("customer.")),
      named("more conditions", "fact_category", part("")),
      named("groups", "group_category", ["all", "any", "not"].map((type) => block(type))),
      named("actions", "act_category", [...actions.keys()].map((name) => block(`act:${name}`, { isNew: true, now: {} }))),
    ];
    return { kind: "categoryToolbox", contents: all.filter((one) => one.contents.length) };
  }

  function theme() {
    const style = getComputedStyle(document.documentElement), color = (name) => style.getPropertyValue(`--${name}`).trim();
    const block = (name) => ({ colourPrimary: color(name), colourSecondary: color(`${name}-soft`), colourTertiary: color(`${name}-line`) });
    return Blockly.Theme.defineTheme(`orderhub-${document.documentElement.classList.contains("dark") ? "dark" : "light"}-${++themes}`, {
      name: "orderhub",
      base: Blockly.Themes.Zelos,
      blockStyles: { fact_blocks: block("block-fact"), act_blocks: block("block-act"), group_blocks: block("block-group"), rule_blocks: block("block-rule"), raw_blocks: block("block-raw") },
      categoryStyles: { fact_category: { colour: color("block-fact") }, act_category: { colour: color("block-act") }, group_category: { colour: color("block-group") } },
      componentStyles: {
        workspaceBackgroundColour: color("canvas"), toolboxBackgroundColour: color("surface"), toolboxForegroundColour: color("ink"),
        flyoutBackgroundColour: color("sunken"), flyoutForegroundColour: color("ink"), flyoutOpacity: 0.97, scrollbarColour: color("ink-3"),
        insertionMarkerColour: color("ink"), insertionMarkerOpacity: 0.3, cursorColour: color("focus"), selectedGlowColour: color("focus"),
      },
      fontStyle: { family: color("font") || "system-ui", size: 10.5, weight: "500" },
    });
  }
  let themes = 0;

  function texts() {
    for (const [key, text] of Object.entries(R.data.blockly)) Blockly.Msg[key] = text;
  }

  Object.assign(R, { toolbox, theme, opWord, blocklyTexts: texts });
})();
