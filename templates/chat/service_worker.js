/*
 * What the page is where there is no network: a page of its own, with the draft that was being typed.
 *
 * Only the loading of a page and of the few files of that one is ever answered here, from what is kept only where the
 * network gives no answer: the API and its streams never pass through this worker.
 *
 * It also shows what the server sends by Web Push: that an answer has ended while no page was in view.
 */
"use strict";

/** What is kept (chat/views/installable.py). */
const KEPT = {{ kept|safe }};
const CACHE = `offline-${KEPT.version}`;
const FILES = new Set(KEPT.files);

addEventListener("install", (event) => {
  // Where the browser can be told, it does not even start this worker for anything else.
  event.addRoutes?.({ condition: { urlPattern: new URLPattern({ pathname: "/v*/*" }) }, source: "network" });
  event.waitUntil(keep());
  void skipWaiting();
});

addEventListener("activate", (event) => event.waitUntil(Promise.all([drop(), preload(), clients.claim()])));

addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const { origin, pathname } = new URL(request.url);
  if (request.mode === "navigate") event.respondWith(shown(event));
  else if (origin === location.origin && FILES.has(pathname)) event.respondWith(file(request));
});

addEventListener("push", (event) => event.waitUntil(told(event.data.json())));

addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(opened(event.notification.data));
});

/** One notification a chat: a newer one takes its place. */
async function told({ conversation, title, status }) {
  const body = status === "complete" ? KEPT.ready : KEPT.unfinished;
  const data = `/c/${conversation}`;
  await registration.showNotification(title || "WonderCam", { body, icon: KEPT.icon, tag: conversation, data });
}

/** The page that shows the chat, or a new one. */
async function opened(path) {
  const pages = await clients.matchAll({ type: "window", includeUncontrolled: true });
  const page = pages.find(({ url }) => new URL(url).pathname === path);
  return page ? page.focus() : clients.openWindow(path);
}

async function keep() {
  const cache = await caches.open(CACHE);
  await cache.addAll([KEPT.page, ...KEPT.files]);
}

/** What an earlier version has kept. */
async function drop() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith("offline-") && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
}

/** Pages are asked for at once, not after this worker has been started. */
async function preload() {
  await registration.navigationPreload?.enable();
}

async function shown(event) {
  try {
    return (await event.preloadResponse) ?? (await fetch(event.request));
  } catch {
    return (await kept(KEPT.page)) ?? Response.error();
  }
}

async function file(request) {
  try {
    return await fetch(request);
  } catch {
    return (await kept(request)) ?? Response.error();
  }
}

async function kept(request) {
  const cache = await caches.open(CACHE);
  return cache.match(request);
}
