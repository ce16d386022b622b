/* The drawing of a flow: nodes and lines, changed in one place, with undo. Canvas, list and form only show it. */
(function () {
  "use strict";
  var MOST_UNDO = 100, STEP_X = 184, STEP_Y = 120, BAND = 5;

  function copy(value) { return JSON.parse(JSON.stringify(value)); }

  function Model(content, steps) {
    this.doc = copy(content);
    this.steps = {};
    steps.forEach(function (step) { this.steps[step.step] = step; }, this);
    this.past = [];
    this.future = [];
    this.listeners = [];
    this.saved = JSON.stringify(this.doc);
    this.chosen = "";
  }

  Model.prototype.listen = function (hear) { this.listeners.push(hear); };
  Model.prototype.tell = function (what) { this.listeners.forEach(function (hear) { hear(what); }); };

  /* Every change goes through here: `work` gets the document and changes it. */
  Model.prototype.change = function (work) {
    var before = JSON.stringify(this.doc);
    work(this.doc);
    if (JSON.stringify(this.doc) === before) return false;
    this.past.push(before);
    if (this.past.length > MOST_UNDO) this.past.shift();
    this.future = [];
    this.tell("changed");
    return true;
  };
  Model.prototype.step = function (from, to) {
    if (!from.length) return false;
    to.push(JSON.stringify(this.doc));
    this.doc = JSON.parse(from.pop());
    if (!this.node(this.chosen)) this.chosen = "";
    this.tell("changed");
    return true;
  };
  Model.prototype.undo = function () { return this.step(this.past, this.future); };
  Model.prototype.redo = function () { return this.step(this.future, this.past); };
  Model.prototype.isDirty = function () { return JSON.stringify(this.doc) !== this.saved; };
  Model.prototype.keep = function () { this.saved = JSON.stringify(this.doc); this.tell("kept"); };
  Model.prototype.replace = function (content) { this.change(function (doc) { doc.nodes = content.nodes; doc.edges = content.edges; }); };
  Model.prototype.choose = function (id) {
    if (this.chosen === id) return;
    this.chosen = id;
    this.tell("chosen");
  };

  Model.prototype.node = function (id) { return this.doc.nodes.find(function (node) { return node.id === id; }); };
  Model.prototype.label = function (node, lang) {
    var own = lang === "zh" ? node.name || node.name_en : node.name_en || node.name;
    var step = this.steps[node.step];
    return own || (step ? step.name : node.step);
  };
  Model.prototype.branches = function (node) {
    var given = node.with && node.with.branches;
    return Array.isArray(given) ? given : [];
  };
  Model.prototype.exits = function (node) {
    if (node.step === "flow.end") return [];
    if (node.step !== "flow.decide") return [""];
    return this.branches(node).map(function (branch) { return branch.exit; }).concat("else");
  };
  Model.prototype.target = function (id, exit) {
    var edge = this.doc.edges.find(function (one) { return one.from === id && (one.exit || "") === exit; });
    return edge ? edge.to : "";
  };
  Model.prototype.exitName = function (node, exit, words, lang) {
    if (exit === "") return "";
    if (exit === "else") return words.exit_else;
    var at = this.branches(node).findIndex(function (branch) { return branch.exit === exit; });
    var found = this.branches(node)[at];
    if (!found) return exit;
    return (lang === "zh" ? found.name || found.name_en : found.name_en || found.name) || words.branch + " " + (at + 1);
  };

  /* All nodes in the order of the way, those that cannot be reached last. */
  Model.prototype.way = function () {
    var model = this, found = [], start = this.doc.nodes.find(function (node) { return node.step === "flow.start"; });
    function add(id) {
      if (!id || found.indexOf(id) >= 0 || !model.node(id)) return;
      found.push(id);
      model.exits(model.node(id)).forEach(function (exit) { add(model.target(id, exit)); });
    }
    if (start) add(start.id);
    this.doc.nodes.forEach(function (node) { if (found.indexOf(node.id) < 0) found.push(node.id); });
    // A branch is told before what comes after it: the end stands last.
    var ends = found.filter(function (id) { return model.node(id).step === "flow.end"; });
    return found.filter(function (id) { return ends.indexOf(id) < 0; }).concat(ends);
  };

  Model.prototype.freeId = function (step) {
    var base = step.split(".").pop().replace(/[^a-z0-9_-]/g, "-").slice(0, 16), number = 1, id = base;
    while (this.node(id)) { number += 1; id = base + "-" + number; }
    return id;
  };
  Model.prototype.freeExit = function (node) {
    var taken = this.branches(node).map(function (branch) { return branch.exit; }), number = 1;
    while (taken.indexOf("b" + number) >= 0) number += 1;
    return "b" + number;
  };

  function setEdge(doc, from, exit, to) {
    doc.edges = doc.edges.filter(function (edge) { return edge.from !== from || (edge.exit || "") !== exit; });
    if (to) doc.edges.push(exit ? { from: from, to: to, exit: exit } : { from: from, to: to });
  }
  Model.prototype.connect = function (from, exit, to) {
    return this.change(function (doc) { setEdge(doc, from, exit, to); });
  };
  /* The exit a new line leaves by: one that leads nowhere yet, else the last. */
  Model.prototype.openExit = function (id) {
    var model = this, exits = this.exits(this.node(id));
    var open = exits.filter(function (exit) { return !model.target(id, exit); });
    return open.length ? open[0] : exits[exits.length - 1];
  };

  /* A new node; after another one it is put between that one and what came next. */
  Model.prototype.add = function (step, place) {
    var model = this, id = this.freeId(step), after = place.after ? this.node(place.after) : null;
    var node = { id: id, step: step };
    if (step === "flow.decide") node.with = { branches: [{ exit: "b1", name: "", name_en: "", when: { all: [] } }] };
    else node.with = {};
    this.change(function (doc) {
      var exit = "", next = "";
      if (after && model.exits(after).length) {
        exit = model.openExit(after.id);
        next = model.target(after.id, exit) || (after.step === "flow.decide" ? model.target(after.id, "else") : "");
        var spot = model.freeSpot(after.x || 0, after.y || 0);
        node.x = spot.x; node.y = spot.y;
      } else { node.x = Math.round(place.x || 120); node.y = Math.round(place.y || 80); }
      doc.nodes.push(node);
      if (!after || !model.exits(after).length) return;
      setEdge(doc, after.id, exit, id);
      if (next && step !== "flow.end") setEdge(doc, id, step === "flow.decide" ? "else" : "", next);
    });
    this.choose(id);
    return id;
  };
  Model.prototype.freeSpot = function (x, y) {
    var nodes = this.doc.nodes, tries = [[0, 1], [1, 0], [1, 1], [0, -1], [1, -1], [-1, 1], [0, 2], [1, 2], [2, 1], [2, 0], [0, 3], [1, 3], [2, 3]];
    function isFree(at) {
      return !nodes.some(function (node) { return Math.abs((node.x || 0) - at.x) < 160 && Math.abs((node.y || 0) - at.y) < 70; });
    }
    for (var n = 0; n < tries.length; n += 1) {
      var at = { x: x + tries[n][0] * STEP_X, y: y + tries[n][1] * STEP_Y };
      if (at.x > 0 && at.y > 0 && isFree(at)) return at;
    }
    return { x: x + 40, y: y + 70 };
  };
  /* A node goes; what led to it leads on to what came next, where that is plain. */
  Model.prototype.remove = function (id) {
    var model = this, node = this.node(id);
    if (!node || node.step === "flow.start") return false;
    var exits = this.exits(node), next = model.target(id, exits.length === 1 ? exits[0] : "else");
    var done = this.change(function (doc) {
      doc.nodes = doc.nodes.filter(function (one) { return one.id !== id; });
      doc.edges.forEach(function (edge) { if (edge.to === id) edge.to = next; });
      doc.edges = doc.edges.filter(function (edge) { return edge.from !== id && edge.to && edge.to !== id && edge.from !== edge.to; });
    });
    if (this.chosen === id) this.choose(next || "");
    return done;
  };
  Model.prototype.edit = function (id, work) {
    return this.change(function (doc) { work(doc.nodes.find(function (node) { return node.id === id; }), doc); });
  };

  /* All nodes anew by how far they are from the start: bands of rows from the left, branches beside the main way. */
  Model.prototype.arrange = function () {
    var model = this, way = this.way(), depth = {}, main = {}, lanes = {}, widest = 1, at = way[0], steps = 0;
    way.forEach(function (id) { depth[id] = 0; });
    for (var round = 0; round < way.length; round += 1) {
      way.forEach(function (id) {
        model.exits(model.node(id)).forEach(function (exit) {
          var to = model.target(id, exit);
          // A line back to where the way has been is no step forward.
          if (to && way.indexOf(to) > way.indexOf(id)) depth[to] = Math.max(depth[to], depth[id] + 1);
        });
      });
    }
    while (at && steps <= way.length) {
      main[at] = true; steps += 1;
      at = model.target(at, model.node(at).step === "flow.decide" ? "else" : "");
    }
    var taken = {};
    way.forEach(function (id) {
      var used = taken[depth[id]] = taken[depth[id]] || (way.some(function (other) { return main[other] && depth[other] === depth[id]; }) ? 1 : 0);
      lanes[id] = main[id] ? 0 : used;
      if (!main[id]) taken[depth[id]] = Math.max(used, 0) + 1;
      widest = Math.max(widest, lanes[id] + 1);
    });
    return this.change(function (doc) {
      doc.nodes.forEach(function (node) {
        var band = Math.floor(depth[node.id] / BAND), row = depth[node.id] % BAND;
        node.x = 100 + (band * (widest + 0.25) + lanes[node.id]) * STEP_X;
        node.y = 70 + row * (STEP_Y - 20);
      });
      doc.nodes.forEach(function (node) { node.x = Math.round(node.x); });
    });
  };

  window.HubFlow = { Model: Model, copy: copy };
})();
