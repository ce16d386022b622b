/* Keeps the progress page of an import fresh: asks once a second, backs off while the server does not answer, and
   loads the page anew when the import has ended, since then it has a different shape. */
(function () {
  "use strict";
  var card = document.querySelector("[data-progress]");
  if (!card) return;
  var bar = card.querySelector("progress"), pauseMs = 1000, spokenAt = 0;

  function show(name, text, isQuiet) {
    var node = card.querySelector('[data-field="' + name + '"]');
    if (!node || node.textContent === text) return;
    // The title is read aloud; more than one message in five seconds would only be noise.
    if (isQuiet && Date.now() - spokenAt < 5000) return;
    if (isQuiet) spokenAt = Date.now();
    node.textContent = text;
  }

  function paint(state) {
    if (!state.is_open) { location.reload(); return false; }
    show("title", state.title, true);
    ["detail", "done_text", "speed_text", "accepted", "unchanged", "refused", "rows"].forEach(function (name) { show(name, state[name]); });
    if (state.total) { bar.max = state.total; bar.value = state.done; }
    return true;
  }

  function ask() {
    fetch(card.dataset.progress, { headers: { Accept: "application/json" }, credentials: "same-origin" })
      .then(function (answer) {
        if (answer.redirected || answer.status === 404) { location.reload(); return null; }
        if (!answer.ok) throw new Error(String(answer.status));
        return answer.json();
      })
      .then(function (state) {
        pauseMs = 1000;
        if (state && paint(state)) setTimeout(ask, pauseMs);
      })
      .catch(function () {
        pauseMs = Math.min(pauseMs * 2, 15000);
        setTimeout(ask, pauseMs);
      });
  }
  setTimeout(ask, pauseMs);
})();
