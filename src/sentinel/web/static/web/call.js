/* Who dialled by hand and comes back to the page is asked how it went; without it the buttons stand there anyway. */
(() => {
  "use strict";
  let dialled = false;
  document.addEventListener("click", (event) => { if (event.target.closest("[data-dial]")) dialled = true; });
  const back = () => {
    const box = document.querySelector("[data-outcomes]");
    if (!dialled || document.hidden || !box?.firstElementChild) return;
    dialled = false;
    box.classList.add("outcomes--asked");
    box.scrollIntoView({ block: "nearest" });
    box.querySelector("h2").focus();
  };
  document.addEventListener("visibilitychange", back);
  addEventListener("focus", back);
})();
