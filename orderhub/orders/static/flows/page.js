/* The editor of flows: brings canvas, list, form, checks and the trial of an order together. */
(function () {
  "use strict";
  var CHECK_AFTER = 300;
  var root = document.querySelector("[data-flow-editor]"), told = JSON.parse(document.getElementById("flow-data").textContent);
  if (!root || !told) return;
  var words = told.words, make = window.HubFlow.make, part = function (name) { return root.querySelector("[data-" + name + "]"); };
  var live = part("live"), sprite = root.dataset.sprite, asked = 0, timer = 0;

  function say(text) {
    var rest = Array.prototype.slice.call(arguments, 1);
    live.textContent = rest.reduce(function (said, one) { return said.replace("%s", one); }, text);
  }
  told.icon = function (name) {
    var svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    svg.setAttribute("class", "oh-i"); svg.setAttribute("aria-hidden", "true");
    use.setAttribute("href", sprite + "#" + name);
    svg.appendChild(use);
    return svg;
  };
  told.brief = function (node) {
    var step = model.steps[node.step], given = node.with || {};
    return step ? step.params.map(function (param) {
      var value = given[param.name], choice = param.choices.find(function (one) { return one.value === value; });
      // What people typed stands in the form; here it might be in the other language, and too long.
      return value === undefined || value === "" || param.kind === "text" ? "" : (choice ? choice.name : value) + (param.unit ? " " + param.unit : "");
    }).filter(Boolean).slice(0, 1).join("") : "";
  };

  var model = new window.HubFlow.Model(told.content, told.steps);
  var form = new window.HubFlow.Form(part("form"), model, told);
  var list = new window.HubFlow.List(part("list"), model, form, told);
  var canvas = null;
  model.revision = told.revision;

  function post(url, body) {
    return fetch(url, {
      method: "POST", credentials: "same-origin", body: JSON.stringify(body),
      headers: { "Content-Type": "application/json", "X-CSRFToken": root.querySelector("[name=csrfmiddlewaretoken]").value },
    }).then(function (answer) {
      return answer.json().then(function (read) { return { status: answer.status, body: read }; });
    });
  }

  /* ---- what is shown ---- */
  function draw() {
    list.draw();
    form.draw();
    if (canvas) canvas.draw();
    part("undo").disabled = !model.past.length;
    part("redo").disabled = !model.future.length;
    var isDirty = model.isDirty();
    part("dirty").hidden = !isDirty;
    if (part("save")) part("save").disabled = !isDirty;
    if (part("publish")) {
      part("publish").classList.toggle("is-off", isDirty);
      part("publish").setAttribute("aria-disabled", isDirty ? "true" : "false");
    }
  }
  model.listen(function (what) {
    if (what === "changed") { show(null); later(); }
    draw();
  });

  function later() { clearTimeout(timer); timer = setTimeout(check, CHECK_AFTER); part("checks").setAttribute("aria-busy", "true"); }
  function check() {
    var mine = asked += 1;
    post(told.urls.check, { content: model.doc }).then(function (answer) {
      if (mine !== asked) return;
      part("checks").removeAttribute("aria-busy");
      if (answer.status !== 200) { findings([{ level: "error", nodes: [], text: answer.body.error || words.fault }]); return; }
      findings(answer.body.findings);
      form.say(answer.body.sentences);
    }).catch(function () { findings([{ level: "error", nodes: [], text: words.fault }]); });
  }
  function findings(rows) {
    var box = part("checks");
    box.textContent = "";
    rows.forEach(function (row) {
      var tone = row.level === "error" ? "bad" : "warn";
      var line = make(row.nodes.length ? "button" : "span", row.nodes.length ? { type: "button", class: "oh-fjump", text: row.text } : { text: row.text });
      if (row.nodes.length) line.addEventListener("click", function () { model.choose(row.nodes[0]); if (canvas) canvas.focusOn(row.nodes[0]); });
      box.appendChild(make("li", { class: "t-" + tone, "data-finding": row.code || "" }, [told.icon(tone), line]));
    });
    if (!rows.length) box.appendChild(make("li", { class: "t-ok", "data-sound": "" }, [told.icon("ok"), make("span", { text: words.sound })]));
    list.bad = rows.reduce(function (found, row) { return found.concat(row.nodes); }, []);
    if (canvas) canvas.bad = list.bad;
    draw();
  }

  /* ---- saving ---- */
  function save(revision) {
    say(words.saving);
    return post(told.urls.save, { content: model.doc, revision: revision }).then(function (answer) {
      if (answer.status === 200) {
        model.revision = answer.body.revision;
        part("stale").hidden = true;
        model.keep();
        say(words.saved);
      } else if (answer.status === 409) stale(answer.body);
      else say(answer.body.error || words.fault);
    }).catch(function () { say(words.fault); });
  }
  function stale(theirs) {
    var box = part("stale");
    box.textContent = "";
    box.hidden = false;
    box.appendChild(make("p", { text: words.stale + (theirs.by ? " (" + theirs.by + ")" : "") }));
    var load = make("button", { type: "button", class: "oh-btn oh-btn-sm", text: words.load_theirs, "data-load-theirs": "" });
    var mine = make("button", { type: "button", class: "oh-btn oh-btn-sm oh-btn-bad", text: words.save_mine, "data-save-mine": "" });
    load.addEventListener("click", function () {
      model.replace(theirs.content); model.revision = theirs.revision; box.hidden = true; model.keep();
    });
    mine.addEventListener("click", function () { save(theirs.revision); });
    box.appendChild(make("div", { class: "oh-row" }, [load, mine]));
    box.scrollIntoView({ block: "nearest" });
  }

  /* ---- trying an order ---- */
  function show(tried) {
    var path = tried ? tried.stops.map(function (stop) { return stop.node; }) : [], taken = [], start = model.way()[0];
    if (path.length) {
      taken.push(start + " ");
      tried.stops.forEach(function (stop) { taken.push(stop.node + " " + stop.exit); });
    }
    list.path = path;
    if (canvas) canvas.show(path, taken);
    part("tried").textContent = "";
    part("pathcount").hidden = !tried;
    if (tried) part("pathcount").textContent = words.tried.replace("%s", path.length);
    (tried ? tried.stops : []).forEach(function (stop, at) {
      var body = make("div", {}, [make("b", { text: stop.name })]);
      if (stop.exit_name) body.appendChild(make("span", { class: "oh-tag", text: stop.exit_name }));
      stop.asked.forEach(function (one) {
        var said = one.holds === null ? words.not_asked : one.holds ? words.holds : words.holds_not;
        body.appendChild(make("p", { class: "oh-s13 oh-soft", text: one.text + (told.lang === "zh" ? "：" : ": ") + said }));
      });
      if (stop.told.length) body.appendChild(make("p", { class: "oh-s13 oh-muted", text: stop.told.join(" · ") }));
      part("tried").appendChild(make("li", { "data-stop": stop.node }, [make("span", { class: "oh-count", text: String(at + 1) }), body]));
    });
    if (tried && !tried.done) part("tried").appendChild(make("li", { class: "t-bad" }, [told.icon("bad"), make("span", { text: words.no_end })]));
  }
  part("try").addEventListener("submit", function (event) {
    event.preventDefault();
    post(told.urls.try, { content: model.doc, order: part("order").value }).then(function (answer) {
      part("tryfault").textContent = answer.status === 200 ? "" : answer.body.error || words.fault;
      show(answer.status === 200 ? answer.body : null);
      list.draw();
    }).catch(function () { part("tryfault").textContent = words.fault; });
  });

  /* ---- palette, buttons, keys ---- */
  function palette() {
    var groups = ["decide", "wait", "act", "check", "step", "end"];
    groups.forEach(function (group) {
      var box = make("div", { class: "oh-fpalette-group", role: "group", "aria-label": words["group_" + group] }, [make("h3", { class: "oh-s12 oh-muted", text: words["group_" + group] })]);
      told.steps.filter(function (step) { return step.group === group && step.step !== "flow.start"; }).forEach(function (step) {
        var button = make("button", { type: "button", class: "oh-fpick", "data-add": step.step }, [told.icon(step.icon), make("span", { text: step.name })]);
        button.addEventListener("click", function () {
          model.add(step.step, { after: model.chosen || model.way().slice(-2)[0] });
          say(words.added, step.name);
          if (canvas) canvas.focusOn(model.chosen);
        });
        if (canvas) canvas.offer(button, step.step);
        box.appendChild(button);
      });
      part("palette").appendChild(box);
    });
  }
  function view(name) {
    root.dataset.view = name;
    root.querySelectorAll("[data-show]").forEach(function (one) { one.setAttribute("aria-pressed", one.dataset.show === name ? "true" : "false"); });
    if (canvas && name === "canvas") { canvas.lf.resize(canvas.box.clientWidth, canvas.box.clientHeight); canvas.draw(); }
  }

  if (window.Core && window.Core.default) {
    canvas = new window.HubFlow.Canvas(part("canvas"), model, told, say);
    root.querySelectorAll("[data-show]").forEach(function (one) { one.addEventListener("click", function () { view(one.dataset.show); }); });
    part("zoom-in").addEventListener("click", function () { canvas.zoom(true); });
    part("zoom-out").addEventListener("click", function () { canvas.zoom(false); });
    part("fit").addEventListener("click", function () { canvas.isFitted = false; canvas.fit(); });
  } else root.querySelectorAll("[data-show]").forEach(function (one) { one.hidden = true; });
  if (!told.readonly) palette();
  part("arrange").addEventListener("click", function () { if (canvas) canvas.isFitted = false; model.arrange(); });
  part("arrange").hidden = told.readonly;
  part("undo").addEventListener("click", function () { model.undo(); });
  part("redo").addEventListener("click", function () { model.redo(); });
  if (part("save")) part("save").addEventListener("click", function () { save(model.revision); });
  if (part("publish")) part("publish").addEventListener("click", function (event) { if (model.isDirty()) { event.preventDefault(); say(words.unsaved); } });
  document.addEventListener("keydown", function (event) {
    var isText = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (!(event.ctrlKey || event.metaKey) || told.readonly) return;
    if (event.key === "s") { event.preventDefault(); if (document.activeElement) document.activeElement.blur(); if (model.isDirty()) save(model.revision); }
    else if (!isText && event.key === "z") { event.preventDefault(); if (event.shiftKey) model.redo(); else model.undo(); }
    else if (!isText && event.key === "y") { event.preventDefault(); model.redo(); }
  });
  window.addEventListener("beforeunload", function (event) { if (model.isDirty()) event.preventDefault(); });
  view(canvas && window.matchMedia("(min-width: 760px)").matches ? "canvas" : "list");
  draw();
  check();
})();
