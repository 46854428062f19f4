"use strict";
(() => {
  const { charts, shared } = JSON.parse(document.getElementById("data").textContent);

  // A chart of batches stores numbers alone; the names of the batches are shared by all of them.
  const rowsOf = (spec) => {
    const { values, name, unit, drifted, floor } = spec.usermeta;
    if (!values) return spec.datasets.rows;
    const missing = (i) => !Number.isFinite(values[i]);
    const said = (value) => (value === null ? `no ${name}${unit && " in "}${unit}` : `${name} ${value} ${unit}`.trim());
    return values.map((value, i) => ({
      i,
      x: i,
      drift: Boolean(drifted && drifted[i]),
      drawn: value === null ? null : Math.max(value, floor || -Infinity),
      alone: missing(i - 1) && missing(i + 1),
      say: `${shared.names[i]}: ${said(value)}`,
    }));
  };

  const draw = async (frame) => {
    const spec = charts[frame.id];
    const rows = rowsOf(spec);
    spec.datasets.rows = rows;
    if (spec.usermeta.of_batches) spec.params.push({ name: "labels", value: shared.labels });
    const bind = frame.querySelector(".controls");
    const options = { actions: false, renderer: "svg", bind, defaultStyle: false, tooltip: { disableDefaultStyle: true } };
    const { view } = await vegaEmbed(frame.querySelector(".drawing"), spec, options);
    const reading = frame.nextElementSibling;
    let chosen = -1;
    const choose = (i) => {
      chosen = i;
      view.signal("chosen", i).runAsync();
      reading.textContent = i < 0 ? "" : rows[i].say;
    };
    view.addEventListener("click", (event, item) => {
      if (item && item.datum && Number.isInteger(item.datum.i)) choose(item.datum.i);
    });
    frame.addEventListener("keydown", (event) => {
      if (event.target !== frame || event.ctrlKey || event.altKey || event.metaKey) return;
      const last = rows.length - 1;
      const next = { ArrowRight: Math.min(chosen + 1, last), ArrowLeft: Math.max(chosen - 1, 0), Home: 0, End: last, Escape: -1 };
      if (!(event.key in next)) return;
      event.preventDefault();
      choose(next[event.key]);
    });
    frame.dataset.drawn = "yes";
  };

  const start = (frame) => {
    if (frame.dataset.drawn) return;
    frame.dataset.drawn = "begun";
    draw(frame).catch((error) => {
      frame.dataset.drawn = "failed";
      frame.nextElementSibling.textContent = `This chart could not be drawn: ${error.message}`;
    });
  };

  // In MLflow's frame a link to a place of the page itself is refused ("not allowed to load local resource").
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    const place = link && document.getElementById(link.getAttribute("href").slice(1));
    if (!place) return;
    event.preventDefault();
    place.scrollIntoView();
    place.tabIndex = -1;
    place.focus({ preventScroll: true });
  });

  // Drawn as they come near the screen: a page of a hundred charts opens at once.
  const near = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        near.unobserve(entry.target);
        start(entry.target);
      }
    },
    { rootMargin: "400px" },
  );
  const frames = document.querySelectorAll(".chart");
  for (const frame of frames) near.observe(frame);
  window.addEventListener("beforeprint", () => frames.forEach(start));
})();
