"""放在 https 上的网站：断了网也能读；换了新的版本，不会一半新一半旧。"""

import ssl
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ext import offline
from tools import ROOT

LAYOUT = (ROOT / "ext" / "templates" / "layout.html").read_text(encoding="utf-8")
SEEN = "[document.querySelector('h1').textContent, getComputedStyle(document.querySelector('h1')).content]"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def page(version):
    """一页：标题、脚本与样式各写着版本；安装的那一段取自网站的模板。"""
    start = LAYOUT.index("<script>", LAYOUT.index("block extrahead"))
    script = LAYOUT[start : LAYOUT.index("</script>", start)].replace("{{ pathto('", "").replace("', 1) }}", "")
    return f"""<!DOCTYPE html><meta charset="utf-8"><title>{version}</title><link rel="stylesheet" href="site.css?v=1">
{script}</script><h1>{version}</h1><img src="a.svg">"""


def publish(site, version, pages=("index.html", "two.html")):
    for name in pages:
        (site / name).write_text(page(version), encoding="utf-8")
    (site / "site.css").write_text(f'h1 {{ content: "{version}" }}', encoding="utf-8")
    (site / "a.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>', encoding="utf-8")
    offline.write(site, "书", "index.html")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("证书")
    names = ["-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-subj", "/CN=localhost"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    return folder


class Host:
    """本机上的 https；可以关掉，再在同一个端口打开。"""

    def __init__(self, site, certificate):
        self.site, self.certificate, self.port = site, certificate, 0
        self.open()

    def open(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate / "cert.pem", self.certificate / "key.pem")
        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), partial(Quiet, directory=str(self.site)))
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def url(self, name):
        return f"https://127.0.0.1:{self.port}/{name}"


@pytest.fixture
def host(tmp_path, certificate):
    publish(tmp_path, "旧")
    host = Host(tmp_path, certificate)
    yield host
    host.close()


@pytest.fixture
def reader(chromium, host):
    """读过一页、装好了离线阅读的读者。"""
    context = chromium.new_context(ignore_https_errors=True)
    tab = context.new_page()
    tab.goto(host.url("index.html"))
    tab.evaluate("navigator.serviceWorker.ready.then(() => true)")
    yield tab
    context.close()


def test_every_page_opens_without_the_network(reader, host):
    host.close()
    try:
        for name in ("two.html", "", "index.html"):  # 没有打开过的也在
            reader.goto(host.url(name))
            assert reader.evaluate(SEEN) == ["旧", '"旧"']
        assert reader.evaluate("document.querySelector('img').complete")
    finally:
        host.open()


def test_a_new_version_comes_as_a_whole(reader, host):
    reader.goto(host.url("two.html"))
    publish(host.site, "新")
    reader.evaluate("navigator.serviceWorker.ready.then(it => it.update())")
    reader.wait_for_function("navigator.serviceWorker.getRegistration().then(it => it.waiting)")
    assert "旧" in reader.evaluate("fetch('site.css').then(it => it.text())")  # 正在读的一页，后来才取的也是旧的
    reader.goto(host.url("index.html"))
    reader.wait_for_function("document.querySelector('h1')?.textContent === '新'")
    assert reader.evaluate(SEEN) == ["新", '"新"']
    assert len(reader.evaluate("caches.keys().then(([name]) => caches.open(name)).then(it => it.keys())")) == 5


def test_a_half_uploaded_version_is_not_used(reader, host):
    publish(host.site, "新")
    (host.site / "site.css").write_text('h1 { content: "旧" }', encoding="utf-8")  # 还没有传上来
    failed = "navigator.serviceWorker.ready.then(it => it.update().then(() => new Promise(done =>"
    failed += " it.installing.addEventListener('statechange', event => done(event.target.state)))))"
    assert reader.evaluate(failed) == "redundant"
    for name in ("two.html", "index.html"):
        reader.goto(host.url(name))
        assert reader.evaluate(SEEN) == ["旧", '"旧"']


def test_site_can_be_installed(chromium, certificate):
    """装到主屏幕：Chromium 挑不出毛病；从搜索页也算在里面。"""
    host = Host(ROOT / "_build" / "html", certificate)
    context = chromium.new_context(ignore_https_errors=True)
    tab = context.new_page()
    tab.goto(host.url("search.html"))
    tab.wait_for_selector("link[rel=manifest]", state="attached")
    session = context.new_cdp_session(tab)
    manifest, problems = session.send("Page.getAppManifest"), session.send("Page.getInstallabilityErrors")
    context.close()
    host.close()
    assert manifest["errors"] == problems["installabilityErrors"] == []
    assert manifest["parsed"]["scope"] == host.url("")
