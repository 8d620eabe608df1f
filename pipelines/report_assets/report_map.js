(function () {
  var data = JSON.parse(document.getElementById("map-data").textContent);
  var map = L.map("map", { zoomSnap: 0.25, attributionControl: false });
  map.fitBounds(data.bounds, { padding: [40, 40] });
  data.graticule.forEach(function (line) {
    L.polyline(line.points, { color: "#b9c4cf", weight: 1, interactive: false }).addTo(map);
    L.tooltip({ permanent: true, direction: "center", className: "graticule" })
      .setLatLng(line.points[0]).setContent(line.label).addTo(map);
  });
  data.ellipses.forEach(function (points) {
    L.polygon(points, { color: "#1f5fa8", weight: 1, fillOpacity: 0.12, interactive: false, smoothFactor: 0 }).addTo(map);
  });
  data.vectors.forEach(function (points) {
    L.polyline(points, { color: "#b3261e", weight: 2, interactive: false }).addTo(map);
  });
  data.stations.forEach(function (s) {
    var marker = L.circleMarker([s.latitude, s.longitude], {
      radius: 6, color: "#ffffff", weight: 1.5, fillOpacity: 1,
      fillColor: s.solved ? (s.control ? "#1c2733" : "#1b7f4b") : "#b3261e"
    }).bindPopup(s.text).addTo(map);
    if (s.label) {
      marker.bindTooltip(s.label, { permanent: true, direction: "right", offset: [6, 0], className: "label" });
    }
  });
  L.control.scale({ imperial: false }).addTo(map);
})();
