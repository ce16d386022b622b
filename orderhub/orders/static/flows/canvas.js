/* The drawing on a LogicFlow canvas: nodes are plain elements coloured by the tokens, keys work as the legend says. */
(function () {
  "use strict";
  var WIDTH = 148, HEIGHT = 56, STRIDE = 20, DRAG = 6;

  function element(tag, name, text) {
    var made = document.createElement(tag);
    if (name) made.className = name;
    if (text) made.textContent = text;
    return made;
  }

  function Canvas(box, model, told, say) {
    var Core = window.Core, canvas = this;
    this.box = box; this.model = model; this.told = told; this.say = say;
    this.path = []; this.bad = []; this.connecting = "";

    class HubView extends Core.HtmlNode {
      setHtml(root) { canvas.dress(root, this.props.model.id); }
    }
    class HubModel extends Core.HtmlNodeModel {
      setAttributes() { this.width = WIDTH; this.height = HEIGHT; this.text.editable = false; this.text.draggable = false; }
      getOutlineStyle() { var style = super.getOutlineStyle(); style.stroke = "transparent"; style.hover = { stroke: "transparent" }; return style; }
      getAnchorStyle(info) { var style = super.getAnchorStyle(info); style.stroke = "var(--primary)"; style.fill = "var(--surface)"; style.hover = Object.assign({}, style.hover, { fill: "var(--primary-soft)", stroke: "var(--primary)" }); return style; }
    }
    class HubEdge extends Core.PolylineEdgeModel {
      getEdgeStyle() {
        var style = super.getEdgeStyle(), isOn = this.properties && this.properties.on;
        style.stroke = isOn ? "var(--primary)" : "var(--line-strong)";
        style.strokeWidth = isOn ? 2.5 : 1.5;
        style.adjustLine = style.adjustAnchor = { stroke: "transparent", fill: "transparent" };
        return style;
      }
      getTextStyle() {
        var style = super.getTextStyle();
        style.fontSize = 12; style.color = "var(--ink-2)";
        style.background = { fill: "var(--surface)", stroke: "var(--line)", radius: 9, wrapPadding: "2px 8px" };
        return style;
      }
      getOutlineStyle() { var style = super.getOutlineStyle(); style.stroke = "transparent"; style.hover = { stroke: "transparent" }; return style; }
    }

    this.lf = new Core.default({
      container: box, grid: { size: 10, visible: true, type: "dot", config: { color: "var(--grid)", thickness: 1 } },
      keyboard: { enabled: false }, history: false, textEdit: false, nodeTextEdit: false, edgeTextEdit: false,
      adjustEdge: false, adjustEdgeStartAndEnd: false, stopScrollGraph: true, stopZoomGraph: true,
      hoverOutline: false, nodeSelectedOutline: false, edgeSelectedOutline: false, isSilentMode: told.readonly,
      edgeType: "hub-edge", background: false,
    });
    this.lf.register({ type: "hub", view: HubView, model: HubModel });
    this.lf.register({ type: "hub-edge", view: Core.PolylineEdge, model: HubEdge });
    this.listen();
  }

  Canvas.prototype.listen = function () {
    var canvas = this, model = this.model, lf = this.lf;
    lf.on("node:click", function (event) { canvas.pick(event.data.id); canvas.box.focus({ preventScroll: true }); });
    lf.on("blank:click", function () { canvas.connecting = ""; model.choose(""); });
    lf.on("node:drop", function (event) {
      canvas.isMine = true;
      model.edit(event.data.id, function (node) { node.x = Math.round(event.data.x); node.y = Math.round(event.data.y); });
      canvas.isMine = false;
    });
    lf.on("edge:add", function (event) {
      var data = event.data;
      if (model.node(data.sourceNodeId) && model.exits(model.node(data.sourceNodeId)).length && data.sourceNodeId !== data.targetNodeId) {
        canvas.join(data.sourceNodeId, data.targetNodeId);
      }
      canvas.draw();
    });
    lf.on("node:dnd-add", function (event) {
      var data = event.data;
      model.add(data.properties.step, { x: data.x, y: data.y });
      canvas.draw();
    });
    this.box.addEventListener("keydown", function (event) { canvas.key(event); });
    if (window.ResizeObserver) {
      new ResizeObserver(function () {
        if (!canvas.box.clientWidth) return;
        lf.resize(canvas.box.clientWidth, canvas.box.clientHeight);
        if (!canvas.isFitted) canvas.fit();
      }).observe(this.box);
    }
  };

  Canvas.prototype.pick = function (id) {
    if (this.connecting && this.connecting !== id) this.join(this.connecting, id);
    this.connecting = "";
    this.model.choose(id);
  };
  Canvas.prototype.join = function (from, to) {
    var source = this.model.node(from), target = this.model.node(to);
    if (!source || !target || target.step === "flow.start" || !this.model.exits(source).length) return;
    this.model.connect(from, this.model.openExit(from), to);
    this.say(this.told.words.connected, this.name(source), this.name(target));
  };
  Canvas.prototype.name = function (node) { return this.model.label(node, this.told.lang); };

  Canvas.prototype.look = function (node) {
    var id = node.id;
    return JSON.stringify([node, this.path.indexOf(id), this.bad.indexOf(id) >= 0, id === this.model.chosen, id === this.connecting]);
  };

  /* What a node looks like; called by LogicFlow whenever it draws one. */
  Canvas.prototype.dress = function (root, id) {
    var node = this.model.node(id), place = this.path.indexOf(id);
    root.textContent = "";
    if (!node) return;
    var step = this.model.steps[node.step] || { group: "bad", icon: "warn", name: node.step };
    var box = element("div", "oh-fnode is-" + step.group);
    box.dataset.node = id;
    if (id === this.model.chosen) box.classList.add("is-on");
    if (id === this.connecting) box.classList.add("is-from");
    if (place >= 0) box.classList.add("is-path");
    if (this.bad.indexOf(id) >= 0) box.classList.add("is-bad");
    box.appendChild(this.told.icon(step.icon));
    var text = element("div", "oh-fnode-text"), own = this.name(node);
    text.appendChild(element("b", "", own));
    if (own !== step.name) text.appendChild(element("small", "", step.name));
    else if (this.told.brief(node)) text.appendChild(element("small", "", this.told.brief(node)));
    box.appendChild(text);
    if (place >= 0) box.appendChild(element("span", "oh-fnode-no", String(place + 1)));
    root.appendChild(box);
  };

  Canvas.prototype.draw = function () {
    if (this.isMine) return;
    var canvas = this, model = this.model, on = {};
    this.taken.forEach(function (one) { on[one] = true; });
    this.lf.render({
      nodes: model.doc.nodes.map(function (node) { 
        // LogicFlow draws a node's element anew only where its properties differ.
        return { id: node.id, type: "hub", x: node.x || 0, y: node.y || 0, properties: { look: canvas.look(node) } };
      }),
      edges: model.doc.edges.filter(function (edge) { return model.node(edge.from) && model.node(edge.to); }).map(function (edge, at) {
        var exit = edge.exit || "", name = model.exitName(model.node(edge.from), exit, canvas.told.words, canvas.told.lang);
        var one = {
          id: "e" + at + "-" + edge.from + "-" + exit, type: "hub-edge", sourceNodeId: edge.from, targetNodeId: edge.to,
          properties: { on: Boolean(on[edge.from + " " + exit]) },
        };
        if (name) one.text = name;
        return one;
      }),
    });
    if (!this.isFitted) this.fit();
  };
  Canvas.prototype.taken = [];
  Canvas.prototype.show = function (path, taken) { this.path = path; this.taken = taken; this.draw(); };
  Canvas.prototype.fit = function () {
    if (!this.box.clientWidth || !this.model.doc.nodes.length) return;
    this.lf.fitView(30, 30);
    if (this.lf.getTransform().SCALE_X > 1) { this.lf.resetZoom(); this.lf.translateCenter(); }
    this.isFitted = true;
  };
  Canvas.prototype.zoom = function (isIn) { this.lf.zoom(isIn); };
  Canvas.prototype.focusOn = function (id) {
    if (this.model.node(id)) this.lf.focusOn({ id: id });
  };

  /* Drag from the palette: a click is no drag. */
  Canvas.prototype.offer = function (button, step) {
    var canvas = this;
    button.addEventListener("mousedown", function (down) {
      function move(event) {
        if (Math.abs(event.clientX - down.clientX) + Math.abs(event.clientY - down.clientY) < DRAG) return;
        end();
        canvas.lf.dnd.startDrag({ type: "hub", properties: { step: step } });
      }
      function end() { document.removeEventListener("mousemove", move); document.removeEventListener("mouseup", end); }
      document.addEventListener("mousemove", move);
      document.addEventListener("mouseup", end);
    });
  };

  /* Tab along the way, arrows move the node, Enter connects, Delete removes. At either end Tab leaves the canvas. */
  Canvas.prototype.key = function (event) {
    var model = this.model, way = model.way(), at = way.indexOf(model.chosen), words = this.told.words;
    if (event.target !== this.box) return;
    if (event.key === "Tab") {
      var next = at < 0 ? (event.shiftKey ? way.length - 1 : 0) : at + (event.shiftKey ? -1 : 1);
      if (next < 0 || next >= way.length) return;
      event.preventDefault();
      model.choose(way[next]);
      this.focusOn(way[next]);
      this.say(words.step_n, next + 1, way.length, this.name(model.node(way[next])));
      return;
    }
    if (at < 0 || this.told.readonly) return;
    var node = model.node(model.chosen), strides = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (strides[event.key]) {
      var by = strides[event.key];
      event.preventDefault();
      model.edit(node.id, function (one) { one.x = (one.x || 0) + by[0] * STRIDE; one.y = (one.y || 0) + by[1] * STRIDE; });
      this.say(words.moved, this.name(node));
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (this.connecting) { this.pick(node.id); this.draw(); }
      else if (model.exits(node).length) { this.connecting = node.id; this.draw(); this.say(words.connecting, this.name(node)); }
    } else if (event.key === "Escape" && this.connecting) {
      this.connecting = ""; this.draw();
    } else if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      if (model.remove(node.id)) this.say(words.node_deleted, this.name(node));
    }
  };

  window.HubFlow.Canvas = Canvas;
})();
