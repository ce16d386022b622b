/* Keeps a board true: the socket says that something is newer, the page itself is asked again and its orders put in place. */
(function () {
  "use strict";
  var page = document.getElementById("board");
  if (!page || !window.fetch || !window.WebSocket) return;
  var orders = page.querySelector("[data-slot=orders]"), live = page.querySelector("[data-slot=live]"), tries = 0, waiting = 0, socket = null;
  function refresh() {
    clearTimeout(waiting);
    waiting = setTimeout(function () {
      fetch(location.pathname + "?lang=" + encodeURIComponent(page.dataset.lang), { credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer" })
        .then(function (answer) { return answer.ok ? answer.text() : Promise.reject(new Error(String(answer.status))); })
        .then(function (text) {
          var fresh = new DOMParser().parseFromString(text, "text/html").querySelector("[data-slot=orders]");
          if (fresh && fresh.innerHTML !== orders.innerHTML) orders.replaceChildren.apply(orders, Array.prototype.slice.call(document.importNode(fresh, true).childNodes));
        })
        .catch(function () { /* the next hint or the safety round asks again */ });
    }, 1500);
  }
  function connect() {
    socket = new WebSocket((location.protocol === "https:" ? "wss://" : "ws://") + location.host + "/ws/b/");
    socket.onopen = function () {
      socket.send(JSON.stringify({ token: page.dataset.token }));
      if (tries) refresh();
      tries = 0;
      live.hidden = false;
    };
    socket.onmessage = function (message) {
      try { if (JSON.parse(message.data).type === "advanced") refresh(); } catch (error) { /* not for us */ }
    };
    socket.onclose = function () {
      live.hidden = true;
      tries += 1;
      setTimeout(connect, 500 + Math.random() * Math.min(30000, 1000 * Math.pow(2, tries)));
    };
  }
  connect();
  setInterval(function () { if (!document.hidden && (!socket || socket.readyState !== 1)) refresh(); }, 30000);
})();
