// Marks a field as wrong or right for readers of screens once the page has looked at what was typed into it.
document.addEventListener("htmx:afterSwap", (event) => {
  const said = event.target;
  if (!said.classList?.contains("feedback")) return;
  const field = document.getElementById(said.id.replace(/_error$/, ""));
  if (!field) return;
  if (said.querySelector(".problem")) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
});
