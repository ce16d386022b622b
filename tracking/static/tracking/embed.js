/* One tag: <script src="https://hub.example/embed.js" data-token="…" data-lang="en" data-theme="dark" async></script>
   Draws the tracking page into a frame at the place of the tag, as high as its content. */
(function () {
  "use strict";
  var tag = document.currentScript;
  if (!tag || !tag.dataset.token) return;
  var home = new URL(tag.src), frame = document.createElement("iframe"), words = new URLSearchParams();
  if (/^(zh-hans|en)$/.test(tag.dataset.lang || "")) words.set("lang", tag.dataset.lang);
  if (/^(system|light|dark)$/.test(tag.dataset.theme || "")) words.set("theme", tag.dataset.theme);
  frame.src = home.origin + "/e/" + encodeURIComponent(tag.dataset.token) + "/?" + words;
  frame.title = tag.dataset.title || (tag.dataset.lang === "en" ? "Order tracking" : "订单追踪");
  frame.loading = "lazy";
  frame.referrerPolicy = "no-referrer";
  frame.style.cssText = "display:block;width:100%;border:0;min-height:320px;color-scheme:normal";
  tag.parentNode.insertBefore(frame, tag);
  window.addEventListener("message", function (event) {
    if (event.source !== frame.contentWindow || event.origin !== home.origin) return;
    var said = event.data;
    if (said && said.type === "orderhub:height" && said.height > 0 && said.height < 20000) frame.style.height = Math.ceil(said.height) + "px";
  });
})();
