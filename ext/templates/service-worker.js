/* 离线阅读。这一份记着网站每个文件的内容（SHA-256，构建时填写）。

   新的一份装上时，把变了的文件都取来、核对过，缺一个就不算装上；装好以后先等着，到读者翻页、又没有开着别的页时
   整个换上（见 layout.html）。所以读者看到的总是同一个版本的网页、样式与脚本。 */
"use strict";
const FILES = {};
const { scope } = registration;
const CACHE = `book ${scope}`; // 同一个域名下可以有别的书
const key = (path) => `${scope}${path}?${encodeURIComponent(FILES[path])}`;

async function fetchFile(cache, path) {
  const response = await fetch(scope + path, { cache: "no-cache", integrity: `sha256-${FILES[path]}` });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  // 有的主机把 index.html 转到别的地址；转来的不能直接用来翻页
  await cache.put(key(path), response.redirected ? new Response(response.body, response) : response);
}

async function install() {
  const cache = await caches.open(CACHE);
  const have = new Set((await cache.keys()).map((request) => request.url));
  const missing = Object.keys(FILES).filter((path) => !have.has(key(path)));
  await Promise.all(missing.map((path) => fetchFile(cache, path)));
}

async function sweep() {
  const cache = await caches.open(CACHE);
  const mine = new Set(Object.keys(FILES).map(key));
  const old = (await cache.keys()).filter((request) => !mine.has(request.url));
  await Promise.all(old.map((request) => cache.delete(request)));
}

/* 网址 → FILES 里的名字；不是本书的文件，就是 undefined。 */
function pathOf(url) {
  const { origin, pathname } = new URL(url);
  const path = decodeURIComponent(origin + pathname).slice(decodeURIComponent(scope).length);
  const name = path === "" || path.endsWith("/") ? `${path}index.html` : path;
  return url.startsWith(scope) && name in FILES ? name : undefined;
}

async function answer(request, path) {
  const cache = await caches.open(CACHE);
  return (await cache.match(key(path))) ?? fetch(request);
}

async function takeOver() {
  const open = await clients.matchAll({ type: "window", includeUncontrolled: true });
  if (open.filter((page) => page.url.startsWith(scope)).length < 2) await skipWaiting();
}

addEventListener("install", (event) => event.waitUntil(install()));
addEventListener("activate", (event) => event.waitUntil(sweep()));
addEventListener("message", (event) => event.data === "switch" && event.waitUntil(takeOver()));
addEventListener("fetch", (event) => {
  const path = event.request.method === "GET" ? pathOf(event.request.url) : undefined;
  if (path) event.respondWith(answer(event.request, path));
});
