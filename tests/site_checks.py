"""网站的检查：每项是一个函数，收一个网站与其中一页，返回问题的列表；空列表就是合格。"""

import re
from functools import cached_property
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup

# 没有渲染成功、原样留在页面上的 Markdown 与指令
RAW_MARKUP = re.compile(r"```|:::|\{[a-z][\w:-]*\}`|\{glue|\{eval-rst|\{(?:exercise|solution|note)[\w-]*\}|\*\*|\]\(")

SERIAL_OR_CHINESE = re.compile(r"^(?:id|term-)\d+$|[\u4e00-\u9fff]")


class Page:
    def __init__(self, path):
        self.path = path

    @cached_property
    def soup(self):
        return BeautifulSoup(self.path.read_text(encoding="utf-8"), "html.parser")

    @cached_property
    def ids(self):
        return {node.get("id") for node in self.soup.find_all(id=True)} | {
            node.get("name") for node in self.soup.find_all("a", attrs={"name": True})
        }

    @property
    def is_redirect(self):
        return self.soup.find("meta", attrs={"http-equiv": re.compile("refresh", re.I)}) is not None

    @property
    def article(self):
        return self.soup.find("article") or self.soup


class Site:
    def __init__(self, root):
        self.root = root
        paths = (path for path in sorted(root.rglob("*.html")) if "_static" not in path.relative_to(root).parts)
        self.pages = {path.relative_to(root).as_posix(): Page(path) for path in paths}

    def target(self, page, link):
        """站内链接指向的 (文件, 锚点)；站外的返回 None。"""
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            return None
        path = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
        return path, unquote(parts.fragment)


def links_are_not_broken(site, page):
    problems = []
    for node in page.soup.find_all("a", href=True):
        target = site.target(page, node["href"])
        if target is None:
            continue
        path, fragment = target
        if path.is_dir():
            path = path / "index.html"
        if not path.is_file() or not path.is_relative_to(site.root.resolve()):
            problems.append(f"链接指向的文件不存在：{node['href']}")
        elif fragment and path.suffix == ".html":
            if fragment not in site.pages[path.relative_to(site.root.resolve()).as_posix()].ids:
                problems.append(f"链接指向的位置不存在：{node['href']}")
    return problems


def resources_exist(site, page):
    """图像、脚本、样式表；站外的不管。"""
    problems = []
    for tag, attribute in [("img", "src"), ("script", "src"), ("link", "href"), ("source", "src"), ("iframe", "src")]:
        for node in page.soup.find_all(tag):
            value = node.get(attribute)
            if tag == "img" and not value:
                problems.append("有一幅图像没有 src")
            elif value and (target := site.target(page, value)) and not target[0].is_file():
                problems.append(f"{tag} 的文件不存在：{value}")
    refresh = page.soup.find("meta", attrs={"http-equiv": re.compile("refresh", re.I)})
    if refresh and not (page.path.parent / refresh["content"].split("url=")[1]).is_file():
        problems.append(f"跳转到的页面不存在：{refresh['content']}")
    return problems


def language_is_chinese(site, page):
    found = page.soup.html.get("lang", "") if page.soup.html else ""
    return [] if page.is_redirect or found.startswith("zh") else [f"<html lang> 是 {found!r}，不是中文"]


def exercises_have_folded_solutions(site, page):
    exercises = [node.get("id") for node in page.soup.select("div.exercise")]
    solutions = page.soup.select("div.solution")
    targets = []
    for solution in solutions:
        link = solution.select_one(".admonition-title a[href]")
        targets.append(link["href"].partition("#")[2] if link else None)
    return (
        [f"练习 {each} 有 {targets.count(each)} 个解答" for each in exercises if targets.count(each) != 1]
        + [f"解答没有对应的练习：{each}" for each in targets if each not in exercises]
        + [f"解答 {node.get('id')} 没有折叠" for node in solutions if "dropdown" not in node["class"]]
        + [f"解答 {node.get('id')} 里没有代码的输出" for node in solutions if not node.select(".cell_output")]
    )


def no_raw_markup(site, page):
    texts = (
        text
        for text in page.article.find_all(string=True)
        if not text.find_parent(["pre", "code", "script", "style", "head"]) and not text.find_parent(class_="math")
    )
    return [f"没有渲染的标记：{text.strip()[:60]!r}" for text in texts if RAW_MARKUP.search(text)]


def no_system_messages(site, page):
    problems = [f"构建时的警告：{node.get_text()[:80]!r}" for node in page.soup.select(".system-message, .problematic")]
    unresolved = [node for node in page.article.select(".xref") if not node.find_parent("a")]
    return problems + [f"没有找到的引用：{node.get_text()!r}" for node in unresolved]


def anchors_are_stable(site, page):
    """标题、图、公式、术语的链接记号，以及引用它们的链接：不含汉字，不是随内容变动的流水号。"""
    links = page.article.select("a.headerlink[href], a.reference.internal[href*='#']")
    anchors = {unquote(link["href"].partition("#")[2]) for link in links}
    return [f"锚点不稳定：#{name}" for name in sorted(anchors) if SERIAL_OR_CHINESE.search(name)]


def pictures_have_alternatives(site, page):
    return [
        f"图没有替代文字：{node.get('src', '')[-40:]}" for node in page.article.find_all("img") if not node.get("alt")
    ]


CHECKS = [
    anchors_are_stable,
    pictures_have_alternatives,
    links_are_not_broken,
    resources_exist,
    language_is_chinese,
    exercises_have_folded_solutions,
    no_raw_markup,
    no_system_messages,
]
