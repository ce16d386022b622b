/* Keeps the public tracking page true without a reload: the socket only says "there is something newer",
   the words always come from the same JSON the page was made from. Works under a strict CSP; no framework. */
(function () {
  "use strict";

  var page = document.getElementById("track");
  if (!page || !page.dataset.token || !window.fetch) return;

  var SAFETY_MS = 30000, SAY_MS = 5000, PAINT_MS = 1000, LONGEST_WAIT_MS = 30000;
  var lang = page.dataset.lang, zone = page.dataset.zone || undefined;
  var seq = Number(page.dataset.seq) || 0, wanted = seq, etag = null, ended = false;
  var socket = null, opened = false, tries = 0, fetching = false, lastFetchAt = 0, lastPaintAt = 0, lastSaidAt = 0, sayTimer = 0, maps = {};
  var api = "/api/v1/tracking/" + encodeURIComponent(page.dataset.token) + "/?lang=" + encodeURIComponent(lang);

  /* small helpers ---------------------------------------------------------------------------------------------- */
  function slot(name, root) { return (root || page).querySelector('[data-slot="' + name + '"]'); }
  function fromTemplate(name) { return page.querySelector('template[data-template="' + name + '"]').content.firstElementChild.cloneNode(true); }
  function words(name, values) { return (page.dataset[name] || "").replace(/\{(\w+)\}/g, function (all, key) { return values[key]; }); }
  function tone(value) { return /^(wait|go|ok|warn|bad|hold|leaf)$/.test(value) ? value : "wait"; }
  function time(at, options) { return new Intl.DateTimeFormat(lang, Object.assign({ timeZone: zone, hourCycle: "h23" }, options)).format(at); }
  function clock(at) { return time(at, { hour: "2-digit", minute: "2-digit" }); }
  function day(at) { return time(at, { day: "numeric", month: "short" }); }
  function svg(name, attributes, text) {
    var node = document.createElementNS("http://www.w3.org/2000/svg", name);
    Object.keys(attributes).forEach(function (key) { node.setAttribute(key, attributes[key]); });
    if (text) node.textContent = text;
    return node;
  }
  function icon(name) {
    var node = svg("svg", { "class": "oh-i", "aria-hidden": "true" });
    node.appendChild(svg("use", { href: page.dataset.icons + "#" + name }));
    return node;
  }
  function flash(node) {
    node.classList.remove("oh-flash");
    void node.offsetWidth;
    node.classList.add("oh-flash");
  }
  function put(node, text, quiet) {
    text = text === null || text === undefined ? "" : String(text);
    if (!node || node.textContent === text) return;
    node.textContent = text;
    if (!quiet) flash(node);
  }
  function putPill(holder, state) {
    if (holder.textContent.trim() === state.text && holder.querySelector(".t-" + tone(state.tone))) return;
    var pill = document.createElement("span"), word = document.createElement("span");
    pill.className = "oh-pill t-" + tone(state.tone);
    word.textContent = state.text;
    pill.append(icon(tone(state.tone)), word);
    holder.replaceChildren(pill);
  }
  function putDetails(details) {
    var list = slot("details"), key = JSON.stringify(details);
    slot("details-card").hidden = !details.length;
    if (list.dataset.key === key) return;
    list.dataset.key = key;
    list.replaceChildren();
    details.forEach(function (detail) {
      var label = document.createElement("dt"), value = document.createElement("dd"), link;
      label.textContent = detail.name;
      if (/^https?:\/\//.test(detail.link)) {
        link = document.createElement("a");
        link.className = "oh-link";
        link.rel = "noopener noreferrer nofollow";
        link.href = detail.link;
        link.textContent = detail.text;
        value.append(link);
      } else value.textContent = detail.text;
      list.append(label, value);
    });
  }
  function putMarked(node, text) {
    if (node.textContent === text) return;
    node.replaceChildren();
    text.split(/(\d{1,2}:\d{2}\s?[–-]\s?\d{1,2}:\d{2})/).forEach(function (part, index) {
      if (index % 2 === 0) { node.append(part); return; }
      var mark = document.createElement("em");
      mark.className = "oh-n";
      mark.textContent = part;
      node.append(mark);
    });
    flash(node);
  }

  /* at most one spoken message in five seconds; the newest wins -------------------------------------------------- */
  function say(text) {
    clearTimeout(sayTimer);
    sayTimer = setTimeout(function () {
      lastSaidAt = Date.now();
      slot("says").textContent = text;
    }, Math.max(0, lastSaidAt + SAY_MS - Date.now()));
  }

  /* drawing ------------------------------------------------------------------------------------------------------ */
  function drawEta(eta) {
    var holder = slot("eta");
    holder.hidden = !eta;
    holder.replaceChildren();
    if (!eta || !eta.from || !eta.to) return;
    var now = new Date(), from = new Date(eta.from), to = new Date(eta.to), promise = eta.promise ? new Date(eta.promise) : null;
    var first = Math.min(now, from), span = Math.max(now, to, promise || 0) - first || 1;
    function place(at) { return 8 + 76 * (at - first) / span; }
    var left = place(from), right = place(to), middle = (left + right) / 2, mark = promise ? place(promise) : null;
    var nowLow = middle - place(now) < 30, markLow = mark !== null && mark - middle < 36, tall = nowLow || markLow;
    var chart = svg("svg", { "class": "oh-eta" + (eta.late ? " is-late" : "") + (tall ? " is-tall" : ""), role: "img", "aria-label": eta.text });
    function line(name, at) { chart.append(svg("line", { "class": name, x1: at + "%", x2: at + "%", y1: 0, y2: 22 })); }
    chart.append(svg("rect", { "class": "oh-eta-axis", y: 5, width: "100%", height: 12, rx: 6 }),
      svg("rect", { "class": "oh-eta-band", x: left + "%", y: 5, width: Math.max(3, right - left) + "%", height: 12, rx: 6 }));
    line("oh-eta-now", place(now));
    if (mark !== null) line("oh-eta-promise", mark);
    chart.append(svg("text", { x: place(now) + "%", y: nowLow ? 56 : 38, dx: -2 }, words("wordNow", { time: clock(now) })));
    chart.append(svg("text", { "class": "oh-eta-label", x: Math.min(84, Math.max(16, middle)) + "%", y: 38, "text-anchor": "middle" }, eta.label || eta.text));
    if (mark !== null) {
      var when = day(promise) === day(now) ? clock(promise) : day(promise);
      chart.append(svg("text", { x: Math.max(24, mark) + "%", y: markLow ? 56 : 38, "text-anchor": mark > 70 ? "middle" : "start" }, words("wordPromise", { when: when })));
    }
    holder.append(chart);
  }

  function patchList(holder, template, values, keyOf, draw) {
    var known = {}, before = null;
    Array.prototype.forEach.call(holder.children, function (node) { known[node.dataset.key || node.dataset.seq || node.dataset.parcel] = node; });
    values.forEach(function (value, index) {
      var key = String(keyOf(value, index)), node = known[key], fresh = !node;
      if (fresh) { node = fromTemplate(template); node.dataset.key = key; }
      delete known[key];
      draw(node, value, index, fresh);
      var next = before ? before.nextElementSibling : holder.firstElementChild;
      if (node !== next) holder.insertBefore(node, next);
      if (fresh) flash(node);
      before = node;
    });
    Object.keys(known).forEach(function (key) { known[key].remove(); });
  }

  function drawEvent(node, event) {
    var happened = event.classifier === "ACTUAL", flashing = node.classList.contains("oh-flash");
    node.className = "t-" + tone(event.tone) + (!happened ? " is-plan" : (event.is_now || (event.is_now === undefined && index === 0)) ? " is-now" : "") + (flashing ? " oh-flash" : "");
    node.dataset.seq = event.seq;
    node.dataset.parcel = event.parcel_id || "";
    put(slot("text", node), event.text, true);
    put(slot("at", node), event.at_text, true);
    slot("at", node).setAttribute("datetime", event.at);
    put(slot("where", node), (event.place ? "· " + event.place : "") + (event.source ? " · " + event.source : ""), true);
  }
  function drawTab(node, parcel) {
    node.dataset.parcel = parcel.id;
    node.setAttribute("href", "#parcel-" + parcel.id);
    put(slot("label", node), parcel.label, true);
    put(slot("status-text", node), parcel.status.text, true);
    put(slot("eta-text", node), parcel.eta ? parcel.eta.text : "");
  }
  function drawItem(node, item) {
    put(slot("name", node), item.name, true);
    put(slot("quantity", node), item.quantity, true);
    if (slot("text", node)) put(slot("text", node), item.text);
  }
  function nameAndPlace(item, index) { return index + ":" + item.name; }
  function drawParcel(node, parcel) {
    node.id = "parcel-" + parcel.id;
    node.dataset.parcel = parcel.id;
    put(slot("label", node), parcel.label, true);
    putPill(slot("status", node), parcel.status);
    put(slot("eta-text", node), parcel.eta ? parcel.eta.text : "");
    put(slot("eta-because", node), parcel.eta ? parcel.eta.because : "");
    put(slot("carrier", node), parcel.carrier, true);
    put(slot("number", node), parcel.tracking_number, true);
    patchKeyed(slot("items", node), "item", parcel.items || [], nameAndPlace, drawItem);
  }
  function patchKeyed(holder, template, values, keyOf, draw) {
    Array.prototype.forEach.call(holder.children, function (node, index) {
      if (!node.dataset.key && slot("name", node)) node.dataset.key = index + ":" + slot("name", node).textContent;
    });
    patchList(holder, template, values, keyOf, draw);
  }

  function drawWish(node, wish) {
    put(slot("title", node), wish.title, true);
    putPill(slot("outcome", node), { text: wish.outcome, tone: wish.tone });
    put(slot("text", node), wish.text, true);
    put(slot("answer", node), wish.answer);
  }

  function drawCarbon(carbon) {
    var card = slot("carbon-card");
    card.hidden = !carbon;
    if (!carbon) return;
    put(slot("carbon-text"), carbon.text);
    put(slot("carbon-kg"), carbon.kg);
    put(slot("carbon-low"), carbon.low, true);
    put(slot("carbon-high"), carbon.high, true);
    put(slot("carbon-method"), carbon.method, true);
    put(slot("carbon-year"), carbon.year, true);
    slot("carbon-estimate").hidden = carbon.basis === "actual";
    slot("carbon-actual").hidden = carbon.basis !== "actual";
    slot("carbon-share-line").hidden = carbon.primary_share === null || carbon.primary_share === undefined;
    put(slot("carbon-share"), Math.round(carbon.primary_share * 100), true);
    var top = Math.max(carbon.high * 1.25, 1e-9), left = 100 * carbon.low / top;
    var chart = svg("svg", { "class": "oh-rng", role: "img", "aria-label": carbon.low + "–" + carbon.high });
    chart.append(svg("rect", { "class": "oh-rng-axis", y: 3, width: "100%", height: 8, rx: 4 }),
      svg("rect", { "class": "oh-rng-band", x: left + "%", y: 3, width: Math.max(1, 100 * carbon.high / top - left) + "%", height: 8, rx: 4 }),
      svg("rect", { "class": "oh-rng-mark", x: 100 * carbon.kg / top + "%", width: 3, height: 14, rx: 2 }));
    slot("carbon-band").replaceChildren(chart);
  }

  function drawMaps(parcels) {
    var holder = slot("maps");
    parcels.forEach(function (parcel) {
      var node = holder.querySelector('[data-map="' + parcel.id + '"]');
      if (!parcel.position) { if (node) { node.remove(); delete maps[parcel.id]; } return; }
      if (!node) { node = fromTemplate("map"); node.dataset.map = parcel.id; holder.append(node); }
      put(slot("position-text", node), parcel.position.text, true);
      put(slot("position-at", node), parcel.position.at ? clock(new Date(parcel.position.at)) : "", true);
      showMap(node, parcel);
    });
  }
  function showMap(node, parcel) {
    if (maps[parcel.id]) { maps[parcel.id].then(function (map) { if (map) map.move(parcel); }); return; }
    maps[parcel.id] = import(page.dataset.mapScript)
      .then(function (module) { return module.show(slot("map-box", node), parcel, { icons: page.dataset.icons }); })
      .catch(function () { return null; });
  }

  function draw(track) {
    slot("hero").className = "tr-hero t-" + tone(track.stage.tone);
    putPill(slot("stage"), track.stage);
    putMarked(slot("headline"), track.headline.text);
    put(slot("detail"), track.headline.detail);
    drawEta(track.eta);
    slot("notice").hidden = !track.notice;
    put(slot("notice-text"), track.notice);
    slot("tabs").hidden = track.parcels.length < 2;
    patchList(slot("tabs"), "tab", track.parcels, function (parcel) { return parcel.id; }, drawTab);
    drawMaps(track.parcels);
    patchList(slot("timeline"), "event", track.timeline, function (event) { return event.seq; }, drawEvent);
    patchList(slot("parcels"), "parcel", track.parcels, function (parcel) { return parcel.id; }, drawParcel);
    putDetails(track.details || []);
    slot("waiting-card").hidden = !(track.waiting && track.waiting.length);
    patchKeyed(slot("waiting"), "waiting", track.waiting || [], nameAndPlace, drawItem);
    if (slot("wishes")) patchList(slot("wishes"), "wish", (track.wishes || {}).made || [], function (wish) { return wish.kind + wish.at; }, drawWish);
    drawCarbon(track.carbon);
    put(slot("updated"), words("wordUpdated", { time: stamp(new Date(track.updated_at)) }), true);
    document.title = track.headline.text + " · " + track.merchant.name;
    choose(chosen);
    if (track.seq > seq) say(track.headline.text + (track.timeline[0] ? " " + track.timeline[0].text : ""));
    seq = Math.max(seq, track.seq);
    page.dataset.seq = seq;
    lastPaintAt = Date.now();
  }
  function stamp(at) {
    var part = {};
    new Intl.DateTimeFormat("en", { timeZone: zone, hourCycle: "h23", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" })
      .formatToParts(at).forEach(function (piece) { part[piece.type] = piece.value; });
    return part.month + "-" + part.day + " " + part.hour + ":" + part.minute;
  }

  /* one parcel at a time: its map and its steps ------------------------------------------------------------------- */
  var chosen = null;
  function choose(id) {
    chosen = id;
    Array.prototype.forEach.call(slot("tabs").children, function (tab) {
      if (tab.dataset.parcel === id) tab.setAttribute("aria-current", "true"); else tab.removeAttribute("aria-current");
    });
    Array.prototype.forEach.call(slot("timeline").children, function (node) { node.hidden = Boolean(id && node.dataset.parcel && node.dataset.parcel !== id); });
    Array.prototype.forEach.call(slot("maps").children, function (node) { node.hidden = Boolean(id && node.dataset.map !== id); });
  }
  slot("tabs").addEventListener("click", function (event) {
    var tab = event.target.closest("[data-parcel]");
    if (!tab) return;
    event.preventDefault();
    choose(chosen === tab.dataset.parcel ? null : tab.dataset.parcel);
  });

  /* fetching -------------------------------------------------------------------------------------------------------- */
  function refresh() {
    if (fetching || ended) return;
    fetching = true;
    lastFetchAt = Date.now();
    var asked = wanted, headers = { Accept: "application/json" };
    if (etag) headers["If-None-Match"] = etag;
    fetch(api, { headers: headers, cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer" })
      .then(function (answer) {
        if (answer.status === 404 || answer.status === 410) { end(); return null; }
        if (answer.status === 304) return null;
        if (!answer.ok) throw new Error(String(answer.status));
        etag = answer.headers.get("ETag");
        return answer.json();
      })
      .then(function (track) { if (track) draw(track); connected(true); })
      .catch(function () { connected(false); })
      .then(function () {
        fetching = false;
        if (wanted > Math.max(seq, asked)) hint(wanted);
      });
  }
  function hint(number) {
    wanted = Math.max(wanted, number);
    if (wanted > seq && !fetching) setTimeout(refresh, Math.max(0, lastPaintAt + PAINT_MS - Date.now()));
  }
  function end() {
    ended = true;
    if (socket) socket.close();
    slot("live").hidden = true;
    slot("offline").hidden = true;
    slot("notice").hidden = false;
    put(slot("notice-text"), page.dataset.wordEnded);
    say(page.dataset.wordEnded);
  }
  function connected(reached) {
    var open = Boolean(socket && socket.readyState === WebSocket.OPEN);
    slot("live").hidden = ended || !open;
    slot("offline").hidden = ended || open || (reached && tries < 2);
  }

  /* socket ---------------------------------------------------------------------------------------------------------- */
  function connect() {
    if (ended || (socket && socket.readyState < WebSocket.CLOSING)) return;
    socket = new WebSocket((location.protocol === "https:" ? "wss://" : "ws://") + location.host + "/ws/t/");
    socket.onopen = function () {
      var missed = opened;
      opened = true;
      tries = 0;
      socket.send(JSON.stringify({ token: page.dataset.token, since: seq }));
      connected(true);
      if (missed) refresh();
    };
    socket.onmessage = function (message) {
      var said;
      try { said = JSON.parse(message.data); } catch (error) { return; }
      if (said && said.type === "advanced") hint(Number(said.seq) || seq + 1);
    };
    socket.onclose = function () {
      if (ended) return;
      tries += 1;
      connected(tries < 2);
      setTimeout(connect, 500 + Math.random() * Math.min(LONGEST_WAIT_MS, 1000 * Math.pow(2, tries)));
    };
  }
  function wake() {
    if (document.hidden || ended) return;
    connect();
    if (Date.now() - lastFetchAt > SAFETY_MS) refresh();
  }
  setInterval(function () {
    var open = socket && socket.readyState === WebSocket.OPEN;
    if (!document.hidden && Date.now() - lastFetchAt >= (open ? 10 : 1) * SAFETY_MS - 50) refresh();
  }, SAFETY_MS);
  document.addEventListener("visibilitychange", wake);
  window.addEventListener("online", function () { tries = 0; connect(); refresh(); });
  window.addEventListener("offline", function () { slot("live").hidden = true; slot("offline").hidden = false; });
  page.addEventListener("animationend", function (event) { event.target.classList.remove("oh-flash"); });

  lastFetchAt = Date.now();
  if (window.WebSocket) connect();
  /* the first JSON brings the coordinates that the HTML leaves out, and is needed only where a map is */
  if (slot("maps").firstElementChild) {
    var start = function () { refresh(); };
    if (window.requestIdleCallback) requestIdleCallback(start, { timeout: 2000 }); else setTimeout(start, 300);
  }
})();
