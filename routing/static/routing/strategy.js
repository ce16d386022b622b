/* The page of a strategy: sliders beside their boxes with the sentence a figure means, ready-made strategies,
   criteria in order. Without this script the page is a plain form with the same fields. */
(function () {
  "use strict";
  var OFF_SHARE = 4, STEPS = 100;

  function plain(value, isFactor) {
    var text = String(Math.round(value * 10000) / 10000), decimals = (text.split(".")[1] || "").length;
    return isFactor || decimals > 2 ? text : value.toFixed(2);
  }

  function rounded(value) {
    return value < 0.1 ? Math.round(value * 1000) / 1000 : value < 10 ? Math.round(value * 100) / 100 : Math.round(value * 10) / 10;
  }

  function Rate(node) {
    var box = node.querySelector("input:not([type=range])"), range = node.querySelector("input[type=range]");
    var says = node.querySelector("[data-says]"), was = node.querySelector("[data-was]");
    var low = Number(node.dataset.low), high = Number(node.dataset.high);
    var isLinear = node.dataset.kind === "linear", isFactor = node.dataset.sign === "×", start = "off" in node.dataset && !isLinear ? OFF_SHARE : 0;

    function amountAt(at) {
      if (isLinear) return rounded(low + (high - low) * at / STEPS);
      if (start && at < start) return 0;
      return rounded(low * Math.pow(high / low, (at - start) / (STEPS - start)));
    }
    function positionOf(amount) {
      if (isLinear) return (amount - low) / (high - low) * STEPS;
      if (amount <= 0) return 0;
      var share = Math.log(amount / low) / Math.log(high / low);
      return start + Math.min(Math.max(share, 0), 1) * (STEPS - start);
    }
    function tell() {
      var amount = Number(box.value), isRead = box.value !== "" && isFinite(amount) && amount >= 0;
      if (isRead) {
        says.textContent = amount === 0 ? node.dataset.zero : node.dataset.pattern.replace(/\{([\d.]+)\}/g, function (_all, times) { return plain(amount * Number(times), isFactor); });
        range.setAttribute("aria-valuetext", node.dataset.sign + plain(amount, isFactor));
        was.hidden = amount === Number(node.dataset.live);
      } else {
        says.textContent = "";
      }
      range.style.setProperty("--at", range.value + "%");
    }
    function fromBox() { range.value = positionOf(Number(box.value) || 0); tell(); }

    range.addEventListener("input", function () {
      box.value = String(amountAt(Number(range.value)));
      tell();
      box.dispatchEvent(new Event("input", { bubbles: true }));
    });
    range.addEventListener("change", function () { box.dispatchEvent(new Event("change", { bubbles: true })); });
    box.addEventListener("input", function (event) { if (event.isTrusted) fromBox(); });
    box.addEventListener("strategy:filled", fromBox);
    node.querySelector("[data-track]").hidden = node.querySelector("[data-ends]").hidden = false;
    fromBox();
  }

  function Order(list, told) {
    function items() { return Array.prototype.slice.call(list.children); }
    function rank(item) { return item.querySelector("select"); }
    function name(item) { return item.querySelector("label").textContent; }
    function number() {
      var place = 0;
      items().forEach(function (item) { if (rank(item).value) rank(item).value = String(++place); });
      items().forEach(function (item) { item.classList.toggle("is-out", !rank(item).value); });
    }
    function sort() {
      items().sort(function (a, b) { return (Number(rank(a).value) || 99) - (Number(rank(b).value) || 99); }).forEach(function (item) { list.append(item); });
      number();
    }
    function say(item) { told.textContent = name(item) + ": " + (rank(item).value || "–"); list.dispatchEvent(new Event("change", { bubbles: true })); }
    function move(item, step) {
      var others = items(), to = others.indexOf(item) + step;
      if (to < 0 || to >= others.length) return;
      if (step < 0) list.insertBefore(item, others[to]); else list.insertBefore(others[to], item);
      if (!rank(item).value) rank(item).value = "1";
      number();
      say(item);
    }
    list.addEventListener("click", function (event) {
      var button = event.target.closest("[data-move]");
      if (!button) return;
      move(button.closest("li"), button.dataset.move === "up" ? -1 : 1);
      button.focus();
    });
    list.addEventListener("change", function (event) {
      var item = event.target.closest("li");
      if (!item || !event.isTrusted) return;
      var place = Number(rank(item).value) || 99, others = items().filter(function (one) { return one !== item && rank(one).value; });
      others.forEach(function (one, at) { rank(one).value = String(at + 1 < place ? at + 1 : at + 2 > others.length + 1 ? others.length + 1 : at + 2); });
      sort();
      say(item);
    });
    var dragged = null;
    items().forEach(function (item) {
      item.draggable = true;
      item.querySelectorAll("[data-move]").forEach(function (button) { button.hidden = false; });
    });
    list.addEventListener("dragstart", function (event) { dragged = event.target.closest("li"); if (dragged) { dragged.classList.add("is-dragged"); event.dataTransfer.effectAllowed = "move"; } });
    list.addEventListener("dragover", function (event) {
      var over = event.target.closest("li");
      if (!dragged || !over) return;
      event.preventDefault();
      if (over !== dragged) {
        var middle = over.getBoundingClientRect();
        list.insertBefore(dragged, event.clientY < middle.top + middle.height / 2 ? over : over.nextSibling);
      }
    });
    list.addEventListener("drop", function (event) { event.preventDefault(); });
    list.addEventListener("dragend", function () {
      if (!dragged) return;
      dragged.classList.remove("is-dragged");
      if (!rank(dragged).value) rank(dragged).value = "1";
      number();
      say(dragged);
      dragged = null;
    });
    list.addEventListener("strategy:filled", sort);
    number();
  }

  function Page(form) {
    var unsaved = form.querySelector("[data-unsaved]"), sequence = form.querySelector("[data-sequence]"), weighted = form.querySelector("[data-weighted]");
    if (!sequence) return;
    function mode() {
      var chosen = form.querySelector("[name=mode]:checked"), isOrder = Boolean(chosen) && chosen.value === "sequential";
      sequence.toggleAttribute("data-idle", !isOrder);
      weighted.classList.toggle("is-resting", isOrder);
      weighted.querySelector("[data-rest]").hidden = !isOrder;
    }
    function changed() { if (unsaved) unsaved.hidden = false; }
    function fill(button) {
      var fields = JSON.parse(button.dataset.fields);
      Object.keys(fields).forEach(function (name) {
        form.querySelectorAll("[name=" + name + "]").forEach(function (field) {
          if (field.type === "radio") field.checked = field.value === fields[name];
          else { field.value = fields[name]; field.dispatchEvent(new Event("strategy:filled")); }
        });
      });
      form.querySelector(".oh-sty-order").dispatchEvent(new Event("strategy:filled"));
      mode();
      form.querySelectorAll("[data-fields]").forEach(function (other) {
        other.classList.toggle("is-on", other === button);
        other.setAttribute("aria-pressed", String(other === button));
      });
      form.querySelector("[name=max_parcels]").dispatchEvent(new Event("change", { bubbles: true }));
      changed();
    }
    form.querySelectorAll("[data-rate]").forEach(Rate);
    Order(form.querySelector(".oh-sty-order"), form.querySelector("[data-moved]"));
    form.addEventListener("click", function (event) {
      var button = event.target.closest("[data-fields]");
      if (button) { event.preventDefault(); fill(button); }
    });
    form.addEventListener("input", changed);
    form.addEventListener("change", function () { changed(); mode(); });
    mode();
    /* A figure typed and confirmed with Enter saves the draft, not the first ready-made strategy. */
    form.addEventListener("keydown", function (event) {
      if (event.key !== "Enter" || event.target.tagName !== "INPUT" || event.target.type === "search") return;
      event.preventDefault();
      form.requestSubmit(form.querySelector("[name=_save]"));
    });
  }

  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll("form[data-strategy]").forEach(Page);
  });
})();
