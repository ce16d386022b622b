/* Pages of connections: copying the address of a door; taking a value of a sample into the path last clicked into.
   <button data-copy="id of an input" data-done="copied">   <form data-map> with inputs named path and buttons data-path */
(function () {
  "use strict";
  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-copy]");
    if (!button) return;
    var input = document.getElementById(button.dataset.copy);
    input.select();
    function done() { if (window.orderhub && orderhub.toast) orderhub.toast(button.dataset.done); }
    if (navigator.clipboard && window.isSecureContext) navigator.clipboard.writeText(input.value).then(done);
    else if (document.execCommand("copy")) done();
  });

  var form = document.querySelector("form[data-map]"), last = null;
  if (!form) return;
  function mark(input) {
    if (last) last.closest("tr").classList.remove("is-on");
    last = input;
    if (last) last.closest("tr").classList.add("is-on");
  }
  form.addEventListener("focusin", function (event) {
    if (event.target.name === "path" || event.target.hasAttribute("data-takes")) mark(event.target);
  });
  form.addEventListener("click", function (event) {
    var button = event.target.closest("[data-path]");
    if (!button || !last) return;
    last.value = button.dataset.path;
    last.focus();
  });
})();
