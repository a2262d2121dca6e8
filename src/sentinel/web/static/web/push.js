/* Subscribes this browser to notices; without it the form stays hidden. */
(() => {
  "use strict";
  const form = document.querySelector("form[data-push]");
  if (!form || !("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) return;
  form.closest("[data-push-box]").hidden = false;
  const say = (text) => { form.querySelector("[data-push-status]").textContent = text; };
  const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/") + "=".repeat(-text.length & 3)), (c) => c.charCodeAt(0));

  const subscribe = async () => {
    if (await Notification.requestPermission() !== "granted") return say("The browser does not allow notices from this site.");
    const registration = await navigator.serviceWorker.register("/service-worker.js");
    await navigator.serviceWorker.ready;
    const known = await registration.pushManager.getSubscription();
    // One made with an older key of ours could not be used any more.
    if (known) await known.unsubscribe();
    const made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(form.dataset.pushKey) });
    form.querySelector("input[name=push-subscription]").value = JSON.stringify({ ...made.toJSON(), applicationKey: form.dataset.pushKey });
    form.submit();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    say("Asking the browser…");
    subscribe().catch((error) => say(`That did not work: ${error.message}`));
  });
})();
