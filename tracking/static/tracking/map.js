/* Draws one parcel's way over plain land shapes: no tiles, no borders, no other host. Loaded only when there is a position.
   Everything it needs comes from data attributes; if a library is missing the drawn line in the box stays. */
const BLUR_METERS = 200;
let libraries = null;

const script = (address) => new Promise((resolve, reject) => {
  const node = document.createElement("script");
  node.src = address;
  node.onload = resolve;
  node.onerror = () => reject(new Error("map library missing"));
  document.head.append(node);
});

const style = (address) => new Promise((resolve) => {
  const node = document.createElement("link");
  node.rel = "stylesheet";
  node.href = address;
  node.onload = node.onerror = resolve;
  document.head.prepend(node);
});

const load = (words) => {
  if (!words.leaflet || !words.topojson || !words.land) return Promise.reject(new Error("map library missing"));
  libraries = libraries || Promise.all([
    script(words.leaflet), script(words.topojson), style(words.leafletCss),
    fetch(words.land, { credentials: "omit" }).then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error("no land shapes")))),
  ]).then(([, , , world]) => world);
  return libraries;
};

/* The exact place of a courier is nobody's business: snap to a grid of about 200 m. */
const blur = ({ lat, lng }) => {
  const row = BLUR_METERS / 111320;
  const column = row / Math.max(0.1, Math.cos((lat * Math.PI) / 180));
  return [Math.round(lat / row) * row, Math.round(lng / column) * column];
};

const isPlace = (point) => Boolean(point) && Number.isFinite(point.lat) && Number.isFinite(point.lng);

const pin = (kind, icon, icons, size) => window.L.divIcon({
  className: `tr-pin tr-pin-${kind}`, iconSize: [size, size],
  html: `<svg class="oh-i" aria-hidden="true"><use href="${icons}#${icon}"></use></svg>`,
});

/* Only the land near the way is drawn: a phone need not project every island of the world. */
const landNear = (world, bounds) => {
  const shapes = window.topojson.feature(world, world.objects.land);
  const polygons = (shapes.features || [shapes]).flatMap(({ geometry }) => (geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates));
  const box = bounds.pad(4);
  const near = polygons.filter(([ring]) => {
    const lngs = ring.map(([lng]) => lng), lats = ring.map(([, lat]) => lat);
    return Math.max(...lngs) >= box.getWest() && Math.min(...lngs) <= box.getEast() && Math.max(...lats) >= box.getSouth() && Math.min(...lats) <= box.getNorth();
  });
  return { type: "MultiPolygon", coordinates: near };
};

export async function show(box, parcel, { icons }) {
  const words = box.dataset;
  const world = await load(words);
  const { L } = window;
  const holder = document.createElement("div");
  const way = box.firstElementChild;
  holder.className = "tr-map-leaflet";
  box.append(holder);
  if (way) way.setAttribute("hidden", "");

  const map = L.map(holder, { zoomControl: false, scrollWheelZoom: false, minZoom: 2, maxZoom: 12, zoomSnap: 0.25, worldCopyJump: true });
  L.control.zoom({ zoomInTitle: words.wordNearer, zoomOutTitle: words.wordFarther }).addTo(map);
  map.attributionControl.setPrefix(false).addAttribution(words.wordCredit);
  L.control.scale({ imperial: false, position: "topright" }).addTo(map);
  const layer = L.layerGroup();
  let marker = null;

  const points = ({ origin, destination }) => ({ from: isPlace(origin) ? [origin.lat, origin.lng] : null, goal: isPlace(destination) ? [destination.lat, destination.lng] : null });
  const escape = (text) => { const node = document.createElement("span"); node.textContent = text; return node.innerHTML; };
  const label = (mark, text) => mark.bindTooltip(escape(text), { permanent: true, direction: "top", offset: [0, -12] });

  const draw = (next) => {
    const here = blur(next.position), { from, goal } = points(next), behind = [...(from ? [from] : []), ...(next.track || []), here];
    layer.clearLayers();
    if (behind.length > 1) L.polyline(behind, { className: "tr-line-behind", interactive: false }).addTo(layer);
    if (goal) L.polyline([here, goal], { className: "tr-line-ahead", interactive: false }).addTo(layer);
    L.circle(here, { radius: BLUR_METERS, className: "tr-blur", interactive: false }).addTo(layer);
    if (from) label(L.marker(from, { icon: pin("from", "warehouse", icons, 26), keyboard: false }), words.wordFrom.replace("{place}", next.origin.name || "")).addTo(layer);
    if (goal) label(L.marker(goal, { icon: pin("goal", "home", icons, 30), keyboard: false }), words.wordYou).addTo(layer);
    if (marker) marker.setLatLng(here);
    else marker = L.marker(here, { icon: pin("here", "truck", icons, 32), keyboard: false, alt: words.wordHere, zIndexOffset: 500 }).addTo(map);
    return here;
  };

  /* Near the end of the way the last stretch matters, not where it began. */
  const view = (next) => {
    const here = window.L.latLng(blur(next.position)), { from, goal } = points(next);
    const isClose = goal && from && here.distanceTo(goal) < 0.4 * window.L.latLng(from).distanceTo(goal);
    return [here, isClose ? null : from, goal].filter(Boolean);
  };
  /* More room at the left and on top: the zoom buttons and the labels of the pins must not cover each other. */
  const fit = (all) => map.fitBounds(L.latLngBounds(all), { paddingTopLeft: [88, 56], paddingBottomRight: [56, 44], maxZoom: 12, animate: false });
  fit(view(parcel));
  L.geoJSON(landNear(world, map.getBounds()), { interactive: false, style: { className: "tr-land", stroke: false, fillOpacity: 1 } }).addTo(map);
  layer.addTo(map);
  draw(parcel);

  return {
    /** Moves the vehicle and redraws the line; keeps the reader's zoom unless the vehicle leaves the view or nears its goal. */
    move(next) {
      const here = draw(next), goal = points(next).goal;
      const isTight = goal && map.latLngToContainerPoint(here).distanceTo(map.latLngToContainerPoint(goal)) < 60;
      if (isTight || !map.getBounds().pad(-0.1).contains(here)) fit(view(next));
    },
  };
}
