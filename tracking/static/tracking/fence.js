/* Draws one geofence over plain land shapes: the fields of the form are the truth, the map only fills them. */
(function () {
  "use strict";
  var box = document.querySelector("[data-fence-map]");
  if (!box) return;
  var words = box.dataset, readonly = words.readonly === "1";
  var said = document.querySelector("[data-fence-said]");
  function field(name) { return document.getElementById("id_" + name); }
  function value(name) { var node = field(name); return node && node.value !== "" ? Number(node.value) : null; }
  function put(name, text) {
    var node = field(name);
    if (!node) return;
    node.value = text;
    node.dispatchEvent(new Event("change", { bubbles: true }));
  }
  function shape() { var node = field("shape"); return node ? node.value : "circle"; }
  function corners() {
    try { var list = JSON.parse((field("corners") || {}).value || "[]"); return Array.isArray(list) ? list : []; } catch (error) { return []; }
  }
  function script(address) {
    return new Promise(function (resolve, reject) {
      var node = document.createElement("script");
      node.src = address; node.onload = resolve; node.onerror = reject;
      document.head.append(node);
    });
  }
  function style(address) {
    return new Promise(function (resolve) {
      var node = document.createElement("link");
      node.rel = "stylesheet"; node.href = address; node.onload = node.onerror = resolve;
      document.head.append(node);
    });
  }
  if (!words.leaflet || !words.land) { box.textContent = words.wordMissing; return; }
  Promise.all([script(words.leaflet), script(words.topojson), style(words.leafletCss),
    fetch(words.land).then(function (answer) { return answer.json(); })])
    .then(function (loaded) { start(loaded[3]); })
    .catch(function () { box.textContent = words.wordMissing; });

  function start(world) {
    var L = window.L, places = JSON.parse((document.getElementById("fence-places") || {}).textContent || "[]");
    var map = L.map(box, { scrollWheelZoom: true, minZoom: 2, worldCopyJump: true });
    map.attributionControl.setPrefix(false).addAttribution(words.wordCredit);
    L.control.scale({ imperial: false }).addTo(map);
    L.geoJSON(window.topojson.feature(world, world.objects.land), { interactive: false, style: { className: "oh-fence-land", stroke: false, fillOpacity: 1 } }).addTo(map);
    var layer = L.layerGroup().addTo(map);
    places.forEach(function (place) {
      var label = document.createElement("span");
      label.textContent = place.name;
      L.circleMarker([place.lat, place.lng], { radius: 6, className: "oh-fence-place" }).bindTooltip(label.innerHTML, { permanent: true, direction: "right" }).addTo(map);
    });
    function draw() {
      layer.clearLayers();
      var list = corners(), lat = value("latitude"), lng = value("longitude"), radius = value("radius_m");
      if (shape() === "polygon") {
        if (list.length > 1) L.polygon(list, { className: "oh-fence-area", interactive: false }).addTo(layer);
        list.forEach(function (corner, index) {
          L.circleMarker(corner, { radius: 8, className: "oh-fence-corner" }).on("click", function (event) {
            L.DomEvent.stop(event);
            if (readonly) return;
            list.splice(index, 1);
            put("corners", JSON.stringify(list));
            draw();
          }).addTo(layer);
        });
        said.textContent = String(list.length);
      } else if (lat !== null && lng !== null) {
        L.circle([lat, lng], { radius: radius || 30, className: "oh-fence-area", interactive: false }).addTo(layer);
        L.circleMarker([lat, lng], { radius: 5, className: "oh-fence-corner", interactive: false }).addTo(layer);
        said.textContent = lat.toFixed(5) + ", " + lng.toFixed(5) + (radius ? " · " + radius + " m" : "");
      }
    }
    function view() {
      var list = corners(), lat = value("latitude"), lng = value("longitude");
      if (shape() === "polygon" && list.length) map.fitBounds(L.latLngBounds(list).pad(0.6), { animate: false });
      else if (lat !== null && lng !== null) map.fitBounds(L.latLng(lat, lng).toBounds((value("radius_m") || 500) * 6), { animate: false });
      else if (places.length) map.fitBounds(L.latLngBounds(places.map(function (place) { return [place.lat, place.lng]; })).pad(0.3), { animate: false, maxZoom: 12 });
      else map.setView([30, 110], 4);
    }
    if (!readonly) map.on("click", function (event) {
      var lat = Number(event.latlng.lat.toFixed(6)), lng = Number(event.latlng.wrap().lng.toFixed(6));
      if (shape() === "polygon") put("corners", JSON.stringify(corners().concat([[lat, lng]])));
      else {
        put("latitude", lat);
        put("longitude", lng);
        if (!value("radius_m")) put("radius_m", 500);
      }
      draw();
    });
    document.querySelector("[data-fence-clear]").addEventListener("click", function () {
      if (readonly) return;
      put("corners", "[]"); put("latitude", ""); put("longitude", "");
      said.textContent = "";
      draw();
    });
    ["shape", "latitude", "longitude", "radius_m", "corners"].forEach(function (name) {
      if (field(name)) field(name).addEventListener("change", draw);
    });
    view();
    draw();
  }
})();
