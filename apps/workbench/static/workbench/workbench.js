// What pages do beyond links and forms: the menu on small screens, moving through rows, shortcuts. All works without it.
(() => {
  "use strict";
  document.documentElement.classList.add("js");

  let afterG = false;

  function typing(target) {
    return target.closest("input, select, textarea, [contenteditable]") !== null;
  }

  function rows() {
    return [...document.querySelectorAll("[data-rows] .row-link")];
  }

  function step(by) {
    const links = rows();
    if (links.length === 0) return;
    const at = links.indexOf(document.activeElement);
    links[Math.min(Math.max(at + by, 0), links.length - 1)].focus();
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    const key = event.key.toLowerCase();
    const link = afterG && /^[a-z]$/.test(key) ? document.querySelector(`[data-key="${key}"]`) : null;
    if (link) {
      event.preventDefault();
      link.click();
    } else if (key === "j") step(1);
    else if (key === "k") step(-1);
    else if (key === "/") {
      const search = document.querySelector("[data-search]");
      if (search) { event.preventDefault(); search.focus(); }
    } else if (key === "?") {
      document.getElementById("shortcuts")?.showModal();
    }
    afterG = key === "g";
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-shortcuts]")) document.getElementById("shortcuts").showModal();
    const button = event.target.closest("[data-toggle]");
    if (button) {
      const open = button.getAttribute("aria-expanded") !== "true";
      button.setAttribute("aria-expanded", String(open));
      return;
    }
    const row = event.target.closest("[data-rows] tbody tr");
    if (row && !event.target.closest("a, button, input, label, select")) row.querySelector(".row-link")?.click();
  });

  // A table that is wider than its box is moved by the arrow keys once the box has the focus.
  function reachTables() {
    for (const box of document.querySelectorAll(".table-box")) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  }
  for (const name of ["load", "resize"]) window.addEventListener(name, reachTables);
  for (const name of ["htmx:afterSettle", "toggle"]) document.addEventListener(name, reachTables, true);

  // What htmx could not send, or got no answer to, is said where other refusals are.
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, () => {
      const region = document.getElementById("messages");
      const message = document.createElement("div");
      message.className = "message error";
      message.textContent = region.dataset.unanswered;
      region.replaceChildren(message);
    });
  }

  // A refusal goes when the form is sent anew: what is mended is refused no longer.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.matches("form")) document.querySelector("#messages .message.error")?.remove();
  });

  // While an answer is on its way, a form that sends it cannot send it twice.
  document.addEventListener("submit", (event) => {
    if (event.target.method !== "post" || event.defaultPrevented) return;
    const { submitter } = event;
    setTimeout(() => submitter?.setAttribute("disabled", ""), 0);
    setTimeout(() => submitter?.removeAttribute("disabled"), 4000);
  });
})();
