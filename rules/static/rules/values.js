/* Values of the rule language in the browser: what a place may hold, as JSON, as text in a box, and as words.
   A place is described by a spec {kind, type, choices, source, closed, optional}; kinds are
     text figure figures yesno pick picks moment moments pair window
   Figures stay texts: a price is never a float. Loaded by the editor of a rule set, before the blocks and the list. */
(function () {
  "use strict";
  const data = JSON.parse(document.getElementById("rules-given").textContent);
  const FIGURE = /^-?\d{1,18}(\.\d{1,10})?$/, WHOLE = /^-?\d{1,18}$/, HOUR = /^([01]\d|2[0-3]):[0-5]\d$/, DAY = /^\d{4}-\d\d-\d\d$/;
  const FIGURES = new Set(["number", "money", "integer"]);
  const OPS = ["==", "!=", ">=", ">", "<=", "<", "between", "in", "not_in", "contains", "starts_with", "within", "is_set"];
  const zh = data.language === "zh";
  const facts = new Map(data.words.facts.map((one) => [one.name, one]));
  const actions = new Map(data.words.actions.map((one) => [one.name, one]));
  const skus = new Map(data.skus.map(([value, label, price]) => [value, { label, price }]));

  /* A text of the page in its language; {name} stands for a value. */
  function say(key, values) {
    return (data.texts[key] || key).replace(/\{(\w+)\}/g, (all, name) => (values && name in values ? String(values[name]) : all));
  }
  const labelOf = (word) => (zh ? word.zh : word.en);
  const same = (a, b) => canonical(a) === canonical(b);
  function canonical(value) {
    if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
    if (value && typeof value === "object") return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
    return value === undefined ? "undefined" : JSON.stringify(value);
  }

  // ---- specs ------------------------------------------------------------------------------------------

  function opsOf(fact) { return OPS.filter((op) => fact.ops.includes(op)); }

  function choicesOf(name, action) {
    const source = action ? data.sources[`${action}.${name}`] || data.sources[`.${name}`] : data.sources[name];
    return { source: source || "", choices: data.choices[source] || [], closed: data.closed.includes(action ? `${action}.${name}` : name) };
  }

  /* What the right side of a comparison may hold. */
  function operand(fact, op) {
    if (op === "is_set") return { kind: "yesno", words: [say("is set"), say("is not set")] };
    if (op === "within") return { kind: "window" };
    const isList = op === "in" || op === "not_in", offer = choicesOf(fact.name);
    if (fact.choices.length) Object.assign(offer, { closed: true, choices: fact.choices.map((value) => offer.choices.find((one) => one[0] === value) || [value, value]) });
    if (fact.type === "boolean") return { kind: "yesno", words: [say("yes"), say("no")] };
    if (fact.type === "datetime") return { kind: op === "between" ? "moments" : "moment" };
    if (FIGURES.has(fact.type)) return { kind: op === "between" ? "pair" : isList ? "figures" : "figure", type: fact.type };
    const isPart = fact.type === "text" && (op === "contains" || op === "starts_with");
    if (isList) return { kind: "picks", ...offer };
    return !isPart && (offer.source || offer.closed) ? { kind: "pick", ...offer } : { kind: "text" };
  }

  /* What a parameter of an action may hold. */
  function parameter(action, param) {
    const offer = choicesOf(param.name, action.name), item = param.type.startsWith("list[") ? param.type.slice(5, -1) : "";
    const spec = { optional: !param.required, ...offer };
    if (item) return FIGURES.has(item) ? { ...spec, kind: "figures", type: item } : { ...spec, kind: "picks" };
    if (param.type === "boolean") return { ...spec, kind: "yesno", isFlag: true, words: [say("yes"), say("no")] };
    if (param.type === "datetime") return { ...spec, kind: "moment" };
    if (FIGURES.has(param.type)) return { ...spec, kind: "figure", type: param.type };
    return offer.source ? { ...spec, kind: "pick" } : { ...spec, kind: "text" };
  }

  // ---- JSON, text, words ------------------------------------------------------------------------------

  const isFigure = (value) => Number.isSafeInteger(value) || (typeof value === "string" && FIGURE.test(value));
  const isTexts = (value) => Array.isArray(value) && value.every((one) => typeof one === "string");
  const isMoment = (value) => typeof value === "string" && !Number.isNaN(Date.parse(value)) && /T.*(Z|[+-]\d\d:\d\d)$/.test(value);
  const isWindow = (value) => !!value && typeof value === "object" && Object.keys(value).sort().join() === "from,to" && typeof value.from === "string" && typeof value.to === "string";
  const FITS = {
    text: (value) => typeof value === "string",
    pick: (value) => typeof value === "string",
    figure: (value) => isFigure(value) || value === "",
    figures: (value) => Array.isArray(value) && value.every(isFigure),
    pair: (value) => Array.isArray(value) && value.length === 2 && value.every((one) => isFigure(one) || one === ""),
    yesno: (value) => typeof value === "boolean",
    picks: isTexts,
    moment: isMoment,
    moments: (value) => Array.isArray(value) && value.length === 2 && value.every(isMoment),
    window: isWindow,
  };
  /* Whether a value can be shown and changed at its place; what was left out always can. */
  function fits(spec, value) { return value === undefined || FITS[spec.kind](value); }

  const STRUCTURED = new Set(["picks", "moments", "window"]);
  /* A value as the text a box holds; "" for one left out. */
  function toText(spec, value) {
    if (value === undefined) return spec.kind === "yesno" ? "false" : "";
    if (STRUCTURED.has(spec.kind)) return JSON.stringify(value);
    if (spec.kind === "figures" || spec.kind === "pair") return value.join(", ");
    return String(value);
  }
  function figureOf(text, type) {
    const plain = text.trim();
    return type === "integer" && /^-?\d{1,15}$/.test(plain) ? Number(plain) : plain;
  }
  /* The value a text stands for; undefined where it may be left out and is. */
  function fromText(spec, text) {
    if (spec.optional && (text === "" || (spec.isFlag && text === "false"))) return undefined;
    if (spec.kind === "yesno") return text === "true";
    if (spec.kind === "figure") return figureOf(text, spec.type);
    if (spec.kind === "figures") return split(text).map((one) => figureOf(one, spec.type));
    if (spec.kind === "pair") return text.split(",").map((one) => figureOf(one, spec.type));
    if (STRUCTURED.has(spec.kind)) return text ? JSON.parse(text) : spec.kind === "picks" ? [] : text;
    return text;
  }
  /* As `fromText`, but the value that was there before where the text says the same: 300 stays 300, "300" stays "300". */
  function keep(spec, text, was) { return toText(spec, was) === text ? was : fromText(spec, text); }
  const split = (text) => text.split(/[,，、\s]+/).filter(Boolean);

  /* Whether a typed text may stand; figures are checked while typing, everything else by the server. */
  function isTyped(spec, text) {
    if (text === "") return true;
    if (spec.kind === "figure") return (spec.type === "integer" ? WHOLE : FIGURE).test(text.trim());
    if (spec.kind === "figures") return split(text).every((one) => (spec.type === "integer" ? WHOLE : FIGURE).test(one));
    return true;
  }

  function named(spec, value) {
    const found = (spec.choices || []).find((one) => one[0] === value);
    if (found) return found[1];
    const sku = spec.source === "sku" && skus.get(value);
    return sku ? sku.label : value;
  }
  /* A value in words, for a block. */
  function words(spec, value) {
    if (spec.kind === "picks") return value && value.length ? value.map((one) => named(spec, one)).join(zh ? "、" : ", ") : say(spec.optional ? "any" : "choose");
    if (spec.kind === "pick") return value ? named(spec, value) : say("choose");
    if (spec.kind === "moment") return value ? local(value).replace("T", " ") : say("choose");
    if (spec.kind === "moments") return value ? value.map((one) => local(one).replace("T", " ")).join(" – ") : say("choose");
    if (spec.kind === "window") return value ? `${value.from} – ${value.to}` : say("choose");
    return toText(spec, value);
  }

  /* A value to begin with. */
  function first(spec, example) {
    if (spec.optional) return undefined;
    if (spec.kind === "yesno") return true;
    if (spec.kind === "window") return { from: "20:00", to: "22:00" };
    if (spec.kind === "moment") return global(`${today()}T00:00`);
    if (spec.kind === "moments") return [global(`${today()}T00:00`), global(`${today()}T23:59`)];
    if (spec.kind === "figure") return example !== undefined && example !== null ? String(example) : spec.type === "integer" ? 1 : "100";
    if (spec.kind === "pair") return spec.type === "integer" ? [1, 10] : ["100", "200"];
    if (spec.kind === "pick") return spec.closed && spec.choices.length ? spec.choices[0][0] : "";
    return spec.kind === "text" ? "" : [];
  }

  // ---- moments: shown in the time zone of the hub -------------------------------------------------------

  const clock = new Intl.DateTimeFormat("en-CA", { timeZone: data.time_zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" });
  function wall(date) {
    const part = Object.fromEntries(clock.formatToParts(date).map((one) => [one.type, one.value]));
    return `${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}:${part.second}`;
  }
  function offsetMinutes(date) { return Math.round((Date.parse(`${wall(date)}Z`) - Math.floor(date.getTime() / 1000) * 1000) / 60000); }
  /* "2026-11-11T20:00" as the hub's clock shows the moment. */
  function local(text) { return wall(new Date(text)).slice(0, 16); }
  /* The moment at which the hub's clock shows this, with its offset. */
  function global(text) {
    const guess = new Date(Date.parse(`${text}:00Z`) - offsetMinutes(new Date(`${text}:00Z`)) * 60000), minutes = offsetMinutes(guess);
    const two = (n) => String(n).padStart(2, "0"), size = Math.abs(minutes);
    return `${text}:00${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
  }
  function today() { return wall(new Date()).slice(0, 10); }

  // ---- small helpers of all parts -----------------------------------------------------------------------

  function make(tag, attributes, ...inner) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (name in node && typeof value === "boolean") node[name] = value;
      else if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value);
    }
    node.append(...inner.filter((one) => one !== null && one !== undefined && one !== false));
    return node;
  }
  const csrf = () => document.querySelector("#rules-editor [name=csrfmiddlewaretoken]").value;
  /* Ask the server; the answer as an object with `ok` and `status`. Lists become repeated fields. */
  async function ask(deed, fields) {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields || {})) for (const one of Array.isArray(value) ? value : [value]) form.append(name, one);
    try {
      const answer = await fetch(`${data.ask}${deed}/`, { method: "POST", body: form, headers: { "X-CSRFToken": csrf(), Accept: "application/json" }, credentials: "same-origin" });
      const isJson = (answer.headers.get("content-type") || "").includes("json");
      const body = isJson ? await answer.json() : { text: say(answer.status === 403 ? "not allowed" : "server failed") };
      return { ...body, ok: answer.ok && isJson, status: answer.status };
    } catch (_fault) {
      return { ok: false, status: 0, text: say("no connection") };
    }
  }

  window.ohRules = {
    data, zh, facts, actions, skus, say, labelOf, same, canonical, opsOf, operand, parameter, fits, toText, fromText, keep, isTyped, words, named,
    first, local, global, make, ask, HOUR, DAY,
  };
})();
