/* Small behaviors of our components; no framework, strict CSP. Loaded in the admin and on merchants' pages.
   orderhub.toast("14 orders released", {undo: "Undo", onUndo: fn})   one at a time, 8 s, stays while hovered or focused
   <div class="oh-drop"><input type="file"> … <b data-file-name></b></div>   shows the chosen file's name
   <form data-once>            a second click sends nothing
   <time data-ago="ISO">       "3 min ago" in the page's language, kept fresh */
(function () {
  "use strict";
  var TOAST_MS = 8000;

  function toast(text, options) {
    var settings = options || {}, holder = document.querySelector(".oh-toasts");
    if (!holder) {
      holder = document.createElement("div");
      holder.className = "oh-toasts oh";
      holder.setAttribute("role", "status");
      holder.setAttribute("aria-live", "polite");
      document.body.append(holder);
    }
    var node = document.createElement("div"), words = document.createElement("span"), drain = document.createElement("i");
    node.className = "oh-toast";
    words.textContent = text;
    node.append(words);
    if (settings.undo) {
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = settings.undo;
      button.addEventListener("click", function () { node.remove(); settings.onUndo(); });
      node.append(button);
    }
    node.append(drain);
    holder.replaceChildren(node);
    var left = TOAST_MS, since = Date.now(), timer = 0;
    function run() { since = Date.now(); timer = setTimeout(function () { node.remove(); }, left); }
    function stay() { clearTimeout(timer); left -= Date.now() - since; }
    ["mouseenter", "focusin"].forEach(function (name) { node.addEventListener(name, stay); });
    ["mouseleave", "focusout"].forEach(function (name) { node.addEventListener(name, run); });
    run();
  }

  document.addEventListener("change", function (event) {
    var drop = event.target.closest && event.target.closest(".oh-drop");
    if (!drop || event.target.type !== "file") return;
    var shown = drop.querySelector("[data-file-name]"), names = Array.prototype.map.call(event.target.files, function (file) { return file.name; });
    if (shown) { shown.textContent = names.join(", "); shown.hidden = !names.length; }
  });
  ["dragenter", "dragover", "dragleave", "drop"].forEach(function (name) {
    document.addEventListener(name, function (event) {
      var drop = event.target.closest && event.target.closest(".oh-drop");
      if (drop) drop.classList.toggle("is-over", name === "dragenter" || name === "dragover");
    });
  });
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (!form.matches("form[data-once]")) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
  });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-once]").forEach(function (form) { delete form.dataset.sent; });
  });

  function ago() {
    var format = window.Intl && Intl.RelativeTimeFormat && new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { numeric: "auto" });
    if (!format) return;
    document.querySelectorAll("time[data-ago]").forEach(function (node) {
      var minutes = Math.round((new Date(node.dataset.ago) - Date.now()) / 60000);
      if (isNaN(minutes)) return;
      node.textContent = Math.abs(minutes) < 60 ? format.format(minutes, "minute")
        : Math.abs(minutes) < 1440 ? format.format(Math.round(minutes / 60), "hour") : format.format(Math.round(minutes / 1440), "day");
    });
  }
  document.addEventListener("DOMContentLoaded", ago);
  setInterval(ago, 60000);

  /* Select2 leaves the search box of its multiple choices without a name. */
  window.addEventListener("load", function () {
    document.querySelectorAll("select + .select2 .select2-search__field:not([aria-label])").forEach(function (box) {
      var label = box.closest(".select2").previousElementSibling.labels[0];
      if (label) box.setAttribute("aria-label", label.textContent.replace("*", "").trim());
    });
  });

  window.orderhub = Object.assign(window.orderhub || {}, { toast: toast });
})();
