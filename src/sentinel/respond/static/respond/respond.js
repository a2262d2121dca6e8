/* Evidence that a person is here. Every page works without this file; then it asks for one word more. */
(() => {
  "use strict";
  const forms = document.querySelectorAll("form[data-evidence]");
  const isSeen = () => document.visibilityState === "visible";
  const say = (form, name) => {
    const field = form.elements.namedItem(name);
    if (field) field.value = "1";
  };

  // The script ran where somebody could see it. By itself that proves little: scanners run scripts, too.
  const ran = () => { if (isSeen()) forms.forEach((form) => say(form, "script_ran")); };
  ran();
  document.addEventListener("visibilitychange", ran);

  // A press or key that came from the browser itself, not from a script. "click" is for screen readers and voice
  // control, which press without a pointer.
  const noticed = (event) => {
    if (event.isTrusted && isSeen() && !navigator.webdriver) say(event.currentTarget, "trusted");
  };
  forms.forEach((form) => {
    for (const kind of ["pointerdown", "touchstart", "keydown", "click"])
      form.addEventListener(kind, noticed, { passive: true });
    // A double click sends once. (The server would count it once anyway.)
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "1";
      setTimeout(() => delete form.dataset.sent, 4000);
    });
  });
  // Back from the next page, out of the browser's memory: the form may be sent again.
  addEventListener("pageshow", () => forms.forEach((form) => delete form.dataset.sent));
})();
