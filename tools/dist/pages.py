"""建好的网页 → 一本连着的书：锚点全书不重，链接都在书里，解答集中到最后。PDF 与 EPUB 都由它做成。"""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from bs4 import BeautifulSoup
from sphinx_external_toc.parsing import parse_toc_yaml

from tools import ROOT

ANSWERS = "解答"
# 网页上才有用的：链接记号、按钮、脚本、表单的控件，以及首页上的目录（书里另有一份）
WEB_ONLY = (
    "a.headerlink, button, .toggle-button, script, style, noscript, input, textarea, canvas, template, .reading-time, "
    "nav.contents, .book-buttons, .book-parts, .glossary-filter, .hands-still, .expanded"
)
HEADING = ["h1", "h2", "h3", "h4", "h5"]


@dataclass
class Section:
    name: str  # 网页的名字，如 chapters/softmax/concepts
    part: str  # 所在的部分；首页与解答没有
    title: str  # 连同编号
    body: object  # BeautifulSoup 的 <section>

    @property
    def slug(self):
        return self.name.removeprefix("chapters/").replace("/", "-")


@dataclass
class Book:
    title: str
    author: str
    rights: str
    sections: list


def read(site):
    """site 是 _build/html；目录的次序取自 _toc.yml。"""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    sections = [_section(site, name, part) for name, part in order()]
    slugs = {section.name: section.slug for section in sections}
    for section in sections:
        _connect(section, site, slugs)
    sections.append(_gather_answers(sections))
    _mend_links(sections)
    rights = f"{config['copyright']} {config['author']}，文字 CC BY 4.0，代码 MIT"
    return Book(config["title"], config["author"], rights, sections)


def order():
    """各页与它所在的部分，按阅读的次序。"""
    site_map = parse_toc_yaml(ROOT / "_toc.yml")
    pages = [(site_map.root.docname, "")]
    pages += [(str(item), part.caption) for part in site_map.root.subtrees for item in part.items]
    assert len(pages) == len(site_map), "_toc.yml 里有一页不在哪一部分里：tools/dist/pages.py 的 order 要跟着改"
    return pages


def _section(site, name, part):
    soup = BeautifulSoup((site / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
    body = soup.select_one("article > section").extract()
    _clean(body)
    return Section(name, part, text(body.h1), body)


def text(node):
    """看得见的文字；公式另有一份供读屏软件的，不算。"""
    hidden = {id(string) for each in node.select(".katex-mathml") for string in each.strings}
    return " ".join("".join(string for string in node.strings if id(string) not in hidden).split())


def _clean(body):
    for node in body.select(WEB_ONLY):
        node.decompose()
    for link in body.select("a.image-reference"):  # 点开大图
        link.unwrap()
    for image in body.select("img"):
        del image["loading"]  # 纸上没有“读到附近”
    for node in body.select("[tabindex]"):
        del node["tabindex"]


def _connect(section, site, slugs):
    """锚点前加上页名；站内的链接改指书里的锚点；图的地址写全。"""
    here = (site / f"{section.name}.html").parent
    for node in section.body.find_all(id=True):
        node["id"] = f"{section.slug}--{node['id']}"
    section.body["id"] = section.slug
    for name in ("for", "aria-labelledby", "aria-describedby"):
        for node in section.body.find_all(attrs={name: True}):
            node[name] = f"{section.slug}--{node[name]}"
    for node in section.body.select("svg *"):  # 箭头、渐变之类，按锚点引用
        for name, value in node.attrs.items():
            if "url(#" in value:
                node[name] = value.replace("url(#", f"url(#{section.slug}--")
    for image in section.body.select("img[src]"):
        image["src"] = str((here / unquote(image["src"])).resolve())
    for link in section.body.select("a[href]"):
        parts = urlsplit(link["href"])
        if parts.scheme or parts.netloc:
            continue
        name = section.name
        if parts.path:
            name = Path(os.path.relpath((here / unquote(parts.path)).resolve(), site)).with_suffix("").as_posix()
        if name in slugs:
            link["href"] = f"#{slugs[name]}" + (f"--{unquote(parts.fragment)}" if parts.fragment else "")
        else:
            link.unwrap()  # 下载的文件之类


def _gather_answers(sections):
    """练习的解答、自测与动手题的说明，都移到最后的一节；原处留一个链接。"""
    soup = BeautifulSoup(f"<section><h1>{ANSWERS}</h1></section>", "html.parser")
    answers = Section("answers", "", ANSWERS, soup.section)
    answers.body["id"] = answers.slug
    for section in sections:
        group = soup.new_tag("section", id=f"{answers.slug}--{section.slug}")
        heading = soup.new_tag("h2")
        heading.string = section.title
        group.append(heading)
        for question, name, parts in list(_questions(section.body)):
            anchor = f"{question['id']}--answer"
            there = soup.new_tag("p", attrs={"class": "to-answer"})
            there.append(_link(soup, anchor, f"{name} 的解答", "page-link"))
            parts[0].insert_before(there)
            answer = soup.new_tag("div", id=anchor, attrs={"class": "admonition answer"})
            title = soup.new_tag("p", attrs={"class": "admonition-title"})
            title.append(_link(soup, question["id"], name))
            answer.append(title)
            for part in parts:
                part.extract()
                for heading in part.select(":scope > summary, :scope > .admonition-title"):
                    heading.decompose()  # “解答”“答案与说明”：上面已经写明是哪一题的
                part.name, part["class"] = "div", []
                answer.append(part)
            group.append(answer)
        if group.find("div"):
            answers.body.append(group)
    return answers


def _questions(body):
    """题目、它的名称、答案的各部分，按书里的次序。"""
    number = 0
    for node in body.select(".solution, .quiz-question, .hands-on"):
        if "solution" in node["class"]:
            exercise = node.find_previous(class_="exercise")
            yield exercise, text(exercise.select_one(".admonition-title")), [node]
        elif "quiz-question" in node["class"]:
            number += 1
            yield node, f"自测第 {number} 题", node.select("details")
        elif details := node.select(":scope > details"):
            yield node, text(node.select_one(".hands-title")), details


def _link(soup, anchor, text, kind=None):
    link = soup.new_tag("a", href=f"#{anchor}", attrs={"class": kind} if kind else {})
    link.string = text
    return link


def _mend_links(sections):
    """整页的锚点，与没有移进书里的（例如页眉里的），改指那一页的开头。"""
    known = homes(sections)
    for section in sections:
        for link in section.body.select('a[href^="#"]'):
            if link["href"][1:] not in known:
                link["href"] = link["href"].split("--")[0]


def homes(sections):
    """锚点 → 它所在的一节。"""
    return {node["id"]: section for section in sections for node in [section.body, *section.body.find_all(id=True)]}
