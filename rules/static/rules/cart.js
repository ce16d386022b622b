/* Try a cart on the draft as it stands on the page, and what the draft would have done to last week's orders. */
(function () {
  "use strict";
  const R = window.ohRules, { make, say, data, part, ask, box, skus } = R;
  const TRY_MS = 400;
  const panel = part("cart");
  if (!panel) return;
  const cart = [], form = panel.querySelector("form"), lines = panel.querySelector("[data-lines]"), told = panel.querySelector("[data-told]");
  let timer = 0, asked = 0;
  const money = (amount, currency) => { const [sign, size] = amount.startsWith("-") ? ["−", amount.slice(1)] : ["", amount]; return currency === "CNY" ? `${sign}¥${size}` : `${sign}${size} ${currency}`; };

  function later() { clearTimeout(timer); timer = setTimeout(tryIt, TRY_MS); }
  async function tryIt() {
    const mine = ++asked;
    if (!cart.length) { told.replaceChildren(make("p", { class: "oh-s13 oh-muted" }, say("cart is empty"))); return; }
    const fields = Object.fromEntries(new FormData(form).entries());
    delete fields.find;
    const answer = await ask("cart", { ...fields, rule: R.texts(), sku: cart.map((one) => one.sku), units: cart.map((one) => one.units), price: cart.map((one) => one.price) });
    if (mine !== asked) return;
    told.replaceChildren(...(answer.ok && !answer.fault ? result(answer) : [make("p", { class: "oh-err", role: "alert" }, answer.fault || answer.text)]));
    told.dataset.tried = String(mine);
  }

  function add(sku, name, price, units) {
    const known = cart.find((one) => one.sku === sku && one.price === price);
    if (known) known.units = String(Number(known.units) + (Number(units) || 1)); else cart.push({ sku, name, price, units: String(units || 1) });
    paint();
    later();
  }
  function paint() {
    lines.replaceChildren(...cart.map((one, at) => make("li", {},
      make("span", { class: "oh-re-what" }, one.name, one.name === one.sku ? null : make("span", { class: "oh-muted oh-s12" }, ` ${one.sku}`)),
      make("input", { class: "oh-input", type: "number", min: "1", step: "1", value: one.units, "aria-label": say("units of {name}", { name: one.name }), oninput: (event) => { one.units = event.target.value; later(); } }),
      make("input", { class: "oh-input", inputmode: "decimal", value: one.price, "aria-label": say("price of {name}", { name: one.name }), oninput: (event) => { one.price = event.target.value; later(); } }),
      make("button", { type: "button", class: "oh-btn oh-btn-sm oh-btn-ghost", "aria-label": say("take out {name}", { name: one.name }), onclick: () => { cart.splice(at, 1); paint(); later(); } }, "×"))));
  }

  /* Line by line, promotion by promotion, to the cent. */
  function result(answer) {
    const off = (amount) => `−${money(amount, answer.currency)}`, mine = (one) => one.version === 0 && one.promotion.startsWith(`${answer.set}/`);
    const by = new Map(answer.lines.map((line) => [String(line.position), answer.applied.filter((one) => one.lines[line.position])]));
    const rows = answer.lines.map((line) => make("tr", {}, make("td", {}, answer.names[line.sku] || line.sku, make("span", { class: "oh-muted" }, ` ×${line.units}`),
      ...by.get(String(line.position)).map((one) => make("div", { class: "oh-s12 oh-re-off" }, `${name(one)} ${off(one.lines[line.position])}`))),
    make("td", { class: "oh-num" }, money((Number(line.total) - Number(line.off)).toFixed(2), answer.currency), Number(line.off) ? make("del", { class: "oh-s12 oh-muted" }, money(line.total, answer.currency)) : null)));
    const gifts = answer.applied.flatMap((one) => one.gifts.map((gift) => make("tr", { class: "oh-re-gift" }, make("td", {}, `${say("gift")}: ${answer.names[gift.sku] || gift.sku}`, make("div", { class: "oh-s12 oh-re-off" }, name(one))), make("td", { class: "oh-num" }, `×${gift.units}`))));
    const total = make("tfoot", {}, sum(say("goods"), money(answer.goods, answer.currency)), ...answer.applied.filter((one) => Number(one.off)).map((one) => sum(name(one), off(one.off), "oh-re-off")), sum(say("to pay"), money(answer.pay, answer.currency), "oh-re-pay"));
    const applied = answer.applied.map((one) => make("li", { class: "oh-re-why is-applied", "data-promotion": one.promotion }, make("span", { class: "oh-pill t-ok" }, say("counts")), " ", text(one), " ", mine(one) ? null : make("span", { class: "oh-tag" }, say("other set"))));
    const skipped = answer.skipped.map((one) => make("li", { class: "oh-re-why", "data-promotion": one.promotion }, make("span", { class: "oh-pill t-wait" }, say("does not count")), " ", text(one), " ", mine(one) ? null : make("span", { class: "oh-tag" }, say("other set"))));
    return [make("table", { class: "oh-re-receipt" }, make("tbody", {}, ...rows, ...gifts), total), make("ul", { class: "oh-re-whys" }, ...applied, ...skipped)];
  }
  const name = (one) => (R.zh ? one.name : one.name_en || one.name);
  const text = (one) => make("span", {}, one.text);
  function sum(label, amount, kind) { return make("tr", { class: kind || "" }, make("th", { scope: "row" }, label), make("td", { class: "oh-num" }, amount)); }

  // ---- what goes in -------------------------------------------------------------------------------------

  const finder = panel.querySelector("[data-find]");
  const wanted = { kind: "picks", source: "sku", closed: true, optional: true, isBare: true, choices: [] };
  /* What is picked goes into the cart, and the box begins anew. */
  function search() { finder.replaceChildren(box(wanted, "", say("cart"), picked)); }
  function picked(value) {
    for (const code of value ? JSON.parse(value) : []) { const sku = skus.get(code) || {}; add(code, sku.label || code, sku.price || "", 1); }
    if (value) setTimeout(() => { search(); finder.querySelector("input").focus(); }, 0);
  }
  search();
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", later);
  panel.querySelector("[data-sample]").addEventListener("submit", async (event) => {
    event.preventDefault();
    const answer = await ask("sample", { number: event.target.elements.number.value });
    const fault = event.target.querySelector(".oh-err");
    fault.hidden = answer.ok;
    fault.textContent = answer.ok ? "" : answer.text;
    if (!answer.ok) return;
    for (const [key, value] of Object.entries(answer)) if (form.elements[key] && typeof value === "string") form.elements[key].value = value;
    cart.splice(0, cart.length, ...answer.lines.map((line) => ({ ...line, units: String(line.units) })));
    paint();
    tryIt();
  });
  R.page.addEventListener("rules:changed", () => { if (cart.length) later(); });
  paint();
  tryIt();

  // ---- last week -------------------------------------------------------------------------------------------

  const effect = part("effect");
  if (effect) effect.querySelector("[data-run]").addEventListener("click", async (event) => {
    const out = effect.querySelector("[data-out]");
    event.target.disabled = true;
    out.replaceChildren(make("p", { class: "oh-muted" }, say("working it out")));
    const answer = await ask("effect", { rule: R.texts() });
    event.target.disabled = false;
    out.dataset.done = "1";
    out.replaceChildren(...(answer.ok ? figures(answer) : [make("p", { class: "oh-err" }, answer.text)]));
  });
  function figures(answer) {
    const amounts = (some) => some.map((one) => money(one.amount, one.currency)).join(", ") || "0";
    const said = say(answer.is_cut ? "effect of the newest {n}" : "effect of {n}", { n: answer.looked_at.toLocaleString() });
    const facts = [[say("it counts for"), String(answer.hit)], [say("it takes off"), amounts(answer.given)], [say("most for one order"), amounts(answer.largest)], [say("orders that change"), String(answer.changed)], [say("more taken off than now"), amounts(answer.more_off)]];
    if (answer.below_cost) facts.push([say("lines below cost"), String(answer.below_cost)]);
    const rows = answer.orders.map((one) => make("tr", {}, make("td", {}, make("a", { class: "oh-link", href: data.order_url.replace("{id}", one.id) }, one.number)), make("td", { class: "oh-num" }, `−${one.was}`), make("td", { class: "oh-num" }, `−${one.would}`)));
    return [make("p", { class: "oh-s13" }, said), make("dl", { class: "oh-re-facts" }, ...facts.flatMap(([key, value]) => [make("dt", {}, key), make("dd", { class: "oh-n" }, value)])),
      rows.length ? make("details", {}, make("summary", {}, say("show the orders")), make("div", { class: "oh-scroll", tabindex: "0" }, make("table", { class: "oh-table oh-dense" }, make("thead", {}, make("tr", {}, ...["order", "taken off now", "with the draft"].map((key) => make("th", { scope: "col" }, say(key))))), make("tbody", {}, ...rows)))) : null].filter(Boolean);
  }
})();
