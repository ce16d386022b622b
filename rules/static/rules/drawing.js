/* A rule as blocks and back. Nothing is lost either way: what has no block is kept in a read-only one, and a rule that
   would come back otherwise than it went in is not drawn at all. */
(function () {
  "use strict";
  const R = window.ohRules, { facts, actions, fits, operand, parameter, same } = R;
  const isObject = (value) => !!value && typeof value === "object" && !Array.isArray(value);
  const hasKeys = (value, ...keys) => isObject(value) && same(Object.keys(value).sort(), keys.sort());

  // ---- JSON → the state of blocks ------------------------------------------------------------------------

  function isComparison(tree) {
    if (!hasKeys(tree, "fact", "op", "value")) return false;
    const fact = facts.get(tree.fact);
    return !!fact && fact.ops.includes(tree.op) && tree.value !== undefined && fits(operand(fact, tree.op), tree.value);
  }
  function conditionState(tree) {
    if (isComparison(tree)) return { type: `fact:${tree.fact}`, extraState: { op: tree.op, was: { op: tree.op, value: tree.value }, now: tree.value } };
    for (const word of ["all", "any"]) if (hasKeys(tree, word) && Array.isArray(tree[word])) return { type: word, ...mouth("PARTS", tree[word].map(conditionState)) };
    if (hasKeys(tree, "not") && isObject(tree.not)) return { type: "not", ...mouth("PARTS", [conditionState(tree.not)]) };
    return { type: "raw_condition", extraState: { raw: tree } };
  }
  function isDeed(deed) {
    if (!isObject(deed) || !actions.has(deed.do) || !Object.keys(deed).every((key) => key === "do" || key === "with")) return false;
    if (!("with" in deed)) return true;
    const action = actions.get(deed.do), params = new Map(action.params.map((one) => [one.name, one]));
    return isObject(deed.with) && Object.entries(deed.with).every(([name, value]) => params.has(name) && value !== undefined && fits(parameter(action, params.get(name)), value));
  }
  function actionState(deed) {
    if (!isDeed(deed)) return { type: "raw_action", extraState: { raw: deed } };
    return { type: `act:${deed.do}`, extraState: { was: deed.with, none: !("with" in deed), now: deed.with || {} } };
  }
  /* Blocks beneath each other inside an input. */
  function mouth(name, states) {
    const chain = states.reduceRight((below, state) => (below ? { ...state, next: { block: below } } : state), null);
    return chain ? { inputs: { [name]: { block: chain } } } : {};
  }
  function ruleState(rule) {
    const mode = ["all", "any"].find((word) => hasKeys(rule.when, word) && Array.isArray(rule.when[word]));
    const parts = mode ? rule.when[mode].map(conditionState) : [conditionState(rule.when)];
    return {
      type: "rule", x: 24, y: 24, extraState: { bare: !mode }, fields: { MODE: mode || "all", NAME: rule.name },
      inputs: { ...mouth("WHEN", parts).inputs, ...mouth("THEN", rule.then.map(actionState)).inputs },
    };
  }

  // ---- blocks → JSON, and where everything stands -------------------------------------------------------------

  function stack(block, input) {
    const found = [];
    for (let one = block.getInputTargetBlock(input); one; one = one.getNextBlock()) if (!one.isInsertionMarker()) found.push(one);
    return found;
  }
  function conditionOf(block, path, places) {
    places.set(path, block);
    if (block.json) return block.json();
    const parts = stack(block, "PARTS");
    if (block.type !== "not") return { [block.type]: parts.map((one, at) => conditionOf(one, `${path}.${block.type}[${at}]`, places)) };
    if (parts.length === 1) return { not: conditionOf(parts[0], `${path}.not`, places) };
    return { not: { all: parts.map((one, at) => conditionOf(one, `${path}.not.all[${at}]`, places)) } };
  }
  /* The rule as the blocks say it: {when, then}, and its blocks by path. */
  function read(workspace) {
    const root = workspace.getTopBlocks(false).find((block) => block.type === "rule"), places = new Map();
    if (!root) return null;
    places.set("when", root);
    places.set("then", root);
    const parts = stack(root, "WHEN"), mode = root.getFieldValue("MODE");
    const when = root.bare && parts.length === 1 ? conditionOf(parts[0], "when", places)
      : { [mode]: parts.map((one, at) => conditionOf(one, `when.${mode}[${at}]`, places)) };
    const then = stack(root, "THEN").map((one, at) => {
      places.set(`then[${at}]`, one);
      const name = one.type.startsWith("act:") ? one.type.slice(4) : "";
      if (name && !places.has(`then.${name}`)) places.set(`then.${name}`, one);
      return one.json();
    });
    return { when, then, places };
  }
  /* The block a path leads to: that of the longest beginning which has one. */
  function blockAt(places, path) {
    for (let at = path; at; at = at.replace(/(\.[^.[]*|\[\d+\])$/, (end) => (end === at ? at : ""))) {
      if (places.has(at)) return places.get(at);
      if (!/[.[]/.test(at)) break;
    }
    return places.get("when") || null;
  }

  /* Draw a rule; false where its blocks would say something else, and nothing is drawn then. */
  function draw(workspace, rule) {
    Blockly.Events.disable();
    try {
      workspace.clear();
      Blockly.serialization.blocks.append(ruleState(rule), workspace);
      const back = read(workspace), isSame = same([back.when, back.then], [rule.when, rule.then]);
      if (!isSame) workspace.clear();
      return isSame;
    } catch (fault) {
      workspace.clear();
      window.console.info("rule is not drawn", fault);
      return false;
    } finally {
      Blockly.Events.enable();
      workspace.clearUndo();
    }
  }

  /* For tests: each rule drawn in blocks that nobody sees and read again, and whether a read-only block was needed. */
  function roundTrips(rules) {
    const workspace = new Blockly.Workspace();
    const found = rules.map((rule) => {
      const drawn = draw(workspace, rule), back = drawn ? read(workspace) : null;
      const raw = workspace.getAllBlocks(false).filter((block) => block.type.startsWith("raw_")).length;
      const copy = new Blockly.Workspace();
      if (drawn) Blockly.serialization.workspaces.load(Blockly.serialization.workspaces.save(workspace), copy);
      const again = drawn ? read(copy) : null;
      copy.dispose();
      return { drawn, raw, when: back && back.when, then: back && back.then, copied: again && [again.when, again.then] };
    });
    workspace.dispose();
    return found;
  }

  Object.assign(R, { draw, read, blockAt, roundTrips, isComparison, isDeed });
})();
