// Sliders of the try: each moves the number beside it, and both ask anew a moment after the last move.
(() => {
  "use strict";
  const WAIT = 350;
  const STEPS = 1000; // of a slider whose bounds lie so far apart that it goes by ratios
  let waiting = 0;

  // Three leading digits read well: 12,345,678 becomes 12,300,000.
  function readable(value) {
    const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(value, 1))) - 2);
    return Math.round(value / unit) * unit;
  }

  function bounds(field) {
    return [Number(field.min), Number(field.max)];
  }

  function numberOf(slider, field) {
    const [least, most] = bounds(field);
    if (slider.dataset.scale !== "log") return Number(slider.value);
    const value = readable(least * (most / least) ** (Number(slider.value) / STEPS));
    return Math.min(Math.max(value, least), most);
  }

  function follow(slider, field) {
    const [least, most] = bounds(field);
    const value = Math.min(Math.max(Number(field.value), least), most);
    const place = most > least ? (STEPS * Math.log(value / least)) / Math.log(most / least) : 0;
    slider.value = slider.dataset.scale === "log" ? place : value;
    tell(slider, value);
  }

  function tell(slider, value) {
    slider.setAttribute("aria-valuetext", new Intl.NumberFormat(document.documentElement.lang).format(value));
  }

  function slidersOf(form) {
    return [...form.querySelectorAll("input[data-of]")];
  }

  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-trial]");
    if (!form) return;
    const { of } = event.target.dataset;
    if (of) {
      const field = document.getElementById(of);
      field.value = numberOf(event.target, field);
      tell(event.target, Number(field.value));
    } else {
      const slider = slidersOf(form).find((each) => each.dataset.of === event.target.id);
      if (slider && event.target.value) follow(slider, event.target);
    }
    clearTimeout(waiting);
    if (form.checkValidity()) waiting = setTimeout(() => form.dispatchEvent(new Event("try")), WAIT);
  });

  for (const form of document.querySelectorAll("form[data-trial]")) {
    for (const slider of slidersOf(form)) follow(slider, document.getElementById(slider.dataset.of));
  }
})();

// On a phone: the way to what may be decided goes once one is there.
(() => {
  "use strict";
  const [way, panel] = [document.querySelector(".to-actions"), document.querySelector(".action-panel")];
  const see = ([entry]) => way.classList.toggle("arrived", entry.isIntersecting);
  if (way && panel) new IntersectionObserver(see, { threshold: 0.2 }).observe(panel);
})();
