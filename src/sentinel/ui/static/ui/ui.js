/* Progressive enhancement only: every page works without it. */
(() => {
  "use strict";
  const root = document.documentElement;
  const cookie = (name, value) => { document.cookie = `${name}=${value};path=/;max-age=31536000;samesite=lax`; };

  // Countdowns count from the server's distance, never from this machine's clock.
  const started = new WeakMap();
  const duration = (seconds, [min, hour, day]) => {
    const s = Math.abs(seconds), h = Math.floor(s / 3600), m = Math.floor(s / 60);
    if (m < 1) return "";
    if (h < 1) return `${m} ${min}`;
    if (h < 24) return `${h} ${hour} ${String(m % 60).padStart(2, "0")}`;
    return `${Math.floor(h / 24)} ${day}` + (h % 24 ? ` ${h % 24} ${hour}` : "");
  };
  const tick = () => {
    for (const el of document.querySelectorAll("time[data-left]")) {
      if (!started.has(el)) started.set(el, performance.now());
      const left = Math.floor(Number(el.dataset.left) - (performance.now() - started.get(el)) / 1000);
      const [due, late, now, ...units] = el.dataset.texts.split("|");
      const length = duration(left, units);
      el.textContent = length ? (left < 0 ? late : due).replace("%s", length) : now;
      el.className = `countdown countdown--${left < 0 ? "late" : left <= Number(el.dataset.soon) ? "soon" : "ok"}`;
    }
  };
  setInterval(tick, 5000);

  // A cookie, so that the server draws the next page right at once.
  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      cookie("sentinel_theme", root.dataset.theme);
    });
  }

  // Where the tabs do not fit, the one that is open is in sight.
  for (const tab of document.querySelectorAll(".tabs a[aria-current]")) {
    tab.parentElement.scrollLeft = tab.offsetLeft - tab.parentElement.offsetLeft - (tab.parentElement.clientWidth - tab.offsetWidth) / 2;
  }

  // Menus close on Escape or a click elsewhere.
  const closeMenus = (keep) => {
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (menu === keep) continue;
      if (menu.contains(document.activeElement)) menu.firstElementChild.focus();
      menu.open = false;
    }
  };
  document.addEventListener("click", (event) => closeMenus(event.target.closest("details[data-menu]")));

  // Shortcuts: data-key="g t" on anything that can be clicked or typed into. They can be switched off (WCAG 2.1.4).
  const help = document.querySelector("[data-keys-help]");
  const toggle = document.querySelector("[data-keys-toggle]");
  let enabled = !document.cookie.includes("sentinel_keys=off"), previous = "", last = 0;
  const listKeys = () => {
    document.querySelector("[data-keys-list]").replaceChildren(...[...document.querySelectorAll("[data-key]")].flatMap((el) => {
      const [term, cap, meaning] = ["dt", "kbd", "dd"].map((name) => document.createElement(name));
      cap.textContent = el.dataset.key;
      term.append(cap);
      meaning.textContent = el.dataset.keyLabel || el.ariaLabel || (el.labels && el.labels[0] || el).innerText.split("\n")[0];
      return [term, meaning];
    }));
    help.scrollIntoView({ block: "nearest" });
  };
  if (help && toggle) {
    help.addEventListener("toggle", listKeys);
    toggle.hidden = false;
    toggle.ariaPressed = String(enabled);
    toggle.addEventListener("click", () => {
      enabled = !enabled;
      toggle.ariaPressed = String(enabled);
      cookie("sentinel_keys", enabled ? "on" : "off");
    });
  }
  // A form that was opened, by a key or by the server, is where the next letters belong.
  const typeInto = (box) => box?.querySelector("input:not([type=hidden]), textarea, select")?.focus();
  typeInto(document.querySelector("details.act[open]"));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const act = event.target.closest("details.act[open]");
      if (act) { act.open = false; act.firstElementChild.focus(); }
      return closeMenus(null);
    }
    if (!enabled || event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    // While a form is open or has the focus, letters are words.
    if (event.target.closest("form, [contenteditable]") || document.querySelector("details.act[open], form details[open]")) return;
    if (event.key === "?" && help) { help.open = !help.open; return; }
    const pair = event.timeStamp - last < 1200 ? `${previous} ${event.key}` : "";
    [previous, last] = [event.key, event.timeStamp];
    const target = pair && document.querySelector(`[data-key="${CSS.escape(pair)}"]`) || document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!target) return;
    event.preventDefault();
    if (target.matches("input, textarea, select")) return target.focus();
    target.click();
    if (target.matches("summary") && target.parentElement.open) typeInto(target.parentElement);
  });
})();
