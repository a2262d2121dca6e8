/* Shows notices and opens pages. It never acts by itself: pressing a button opens the page that asks. */
"use strict";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  let notice = {};
  try { notice = event.data.json(); } catch { /* a notice that cannot be read is still a notice */ }
  const { title = "Sentinel", body = "", path = "/notices/", tag, again, problem, labels = {} } = notice;
  const buttons = ["acknowledge", "call", "hand_over"].filter((name) => labels[name]).map((name) => ({ action: name, title: labels[name] }));
  // Most browsers show two buttons; the third stands on the page that a press on the notice opens.
  const actions = problem ? buttons.slice(0, Notification.maxActions || 2) : [];
  event.waitUntil(self.registration.showNotification(title, {
    body, tag, renotify: Boolean(tag && again), actions, data: { path, problem }, requireInteraction: Boolean(problem), icon: "/static/web/icon-192.png",
  }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { path = "/notices/", problem } = event.notification.data || {};
  const page = `/problems/${Number(problem)}/`;
  const pages = { acknowledge: `${page}?open=acknowledge`, call: `${page}call/`, hand_over: `${page}pass-on/` };
  const target = new URL(problem && pages[event.action] || path, self.location.origin);
  // Whatever a notice says, only a page of ours is opened.
  if (target.origin !== self.location.origin) return;
  event.waitUntil(self.clients.openWindow(target.href));
});
