/* Shows notices and opens pages. It never acts by itself: pressing a button opens the page that asks. */
"use strict";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  let notice = {};
  try { notice = event.data.json(); } catch { /* a notice that cannot be read is still a notice */ }
  const { title = "Sentinel", body = "", path = "/notices/", tag, problem, labels = {} } = notice;
  const actions = problem ? ["acknowledge", "call"].filter((name) => labels[name]).map((name) => ({ action: name, title: labels[name] })) : [];
  event.waitUntil(self.registration.showNotification(title, {
    body, tag, actions, data: { path, problem }, requireInteraction: Boolean(problem), icon: "/static/web/icon-192.png",
  }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { path = "/notices/", problem } = event.notification.data || {};
  const pages = { acknowledge: `/problems/${Number(problem)}/?open=acknowledge`, call: `/problems/${Number(problem)}/call/` };
  const target = new URL(problem && pages[event.action] || path, self.location.origin);
  // Whatever a notice says, only a page of ours is opened.
  if (target.origin !== self.location.origin) return;
  event.waitUntil(self.clients.openWindow(target.href));
});
