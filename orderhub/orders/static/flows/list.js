/* The same drawing as a list in the order of the way: every node with its exits; as good as the canvas, by keys alone. */
(function () {
  "use strict";
  var make = window.HubFlow.make;

  function List(box, model, form, told) { this.box = box; this.model = model; this.form = form; this.told = told; this.path = []; this.bad = []; }

  List.prototype.draw = function () {
    var list = this, model = this.model, words = this.told.words, way = model.way();
    var held = document.activeElement && this.box.contains(document.activeElement) ? document.activeElement.dataset.key : "";
    this.box.textContent = "";
    way.forEach(function (id, at) {
      var node = model.node(id), name = model.label(node, list.told.lang), place = list.path.indexOf(id);
      var item = make("li", { class: "oh-fitem" + (id === model.chosen ? " is-on" : "") + (list.bad.indexOf(id) >= 0 ? " is-bad" : "") + (place >= 0 ? " is-path" : ""), "data-item": id });
      var head = make("button", { type: "button", class: "oh-fitem-name", "data-key": "pick-" + id, "aria-pressed": id === model.chosen ? "true" : "false" }, [
        make("span", { class: "oh-count", text: String(at + 1) }), list.told.icon((model.steps[node.step] || { icon: "warn" }).icon), make("b", { text: name }),
      ]);
      head.addEventListener("click", function () { model.choose(id); });
      item.appendChild(make("div", { class: "oh-row oh-between" }, [head, list.tools(node, name)]));
      model.exits(node).forEach(function (exit) {
        item.appendChild(list.form.way(node, exit, exit === "" ? words.exit_next : model.exitName(node, exit, words, list.told.lang)));
      });
      list.box.appendChild(item);
    });
    if (held) { var again = this.box.querySelector('[data-key="' + held + '"]'); if (again) again.focus(); }
  };

  List.prototype.tools = function (node, name) {
    var model = this.model, words = this.told.words;
    if (this.told.readonly || node.step === "flow.start") return null;
    var gone = make("button", { type: "button", class: "oh-btn oh-btn-sm oh-btn-ghost", text: words.remove, "aria-label": words.remove + " " + name, "data-key": "remove-" + node.id });
    gone.addEventListener("click", function () { model.remove(node.id); });
    return gone;
  };

  window.HubFlow.List = List;
})();
