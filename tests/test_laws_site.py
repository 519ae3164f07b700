"""建好的网站处处成立的定律：编号、链接、术语、练习、次序、篇幅、简介、搜索与卡片，都从页面本身重新算一遍来对。

每一条都弄坏过网页，看着它变红。失败时写明要改哪个文件、哪一格。
"""

import gzip
import hashlib
import html
import inspect
import io
import math
import re
from collections import Counter
from pathlib import PurePosixPath

import pytest
import soupsieve
from PIL import Image

import helpers
from tests import figure_checks
from tests.book import (
    HEADING,
    HTML,
    ORDER,
    chinese,
    label_of,
    notebooks,
    open_book,
    path_to,
    settle,
    squeeze,
    text_of,
    where,
)
from tests.common import code_cells, one_blank_line


@pytest.fixture(scope="module")
def book():
    return open_book()


# ---------------------------------------------------------------- 写出来了，连得上

# 没有渲染成功、原样留在页面上的 Markdown 与指令
RAW_MARKUP = re.compile(r"```|:::|\{[a-z][\w:-]*\}`|\{glue|\{eval-rst|\{(?:exercise|solution|note)[\w-]*\}|\*\*|\]\(")
FAILED = ".system-message, .problematic, .katex-error, .math:not(:has(.katex)), .xref:not(a > .xref)"
# 句读在一段的开头、在空格之后，或两个连着；编号自带的“练习”又写一遍
STRAY_MARK = re.compile(r"(?:^|\s)[，。；：、！？）”》]|[，。；：、！？]\s*[，。；：、！？]|(练习|图|表) \1 \d")
SERIAL_OR_CHINESE = re.compile(r"^(?:id|term-)\d+$|[\u4e00-\u9fff]")
LINKING = {"a": "href", "link": "href", "img": "src", "script": "src", "source": "src", "iframe": "src"}


def test_everything_is_rendered(book):
    """没有原样的标记、错位的句读、构建的警告、没找到的引用、没排成的公式、没有替代文字的图；页面说自己是中文。"""

    def problems(page):
        if not page.soup.html.get("lang", "").startswith("zh"):
            yield "<html lang> 不是中文"
        for text in page.article.find_all(string=RAW_MARKUP):
            if not text.find_parent(["pre", "code", "script", "style"]) and not text.find_parent(
                class_=["math", "sig"]
            ):
                yield f"没有渲染的标记：{squeeze(text)[:60]}"
        for text in (node.get_text() for node in page.article.select("p, li, dd, td, figcaption, h1, h2, h3")):
            yield from (
                f"句读错了位：{text[max(0, mark.start() - 9) : mark.end() + 9]}" for mark in STRAY_MARK.finditer(text)
            )
        yield from (f"没有排成，或没有找到：{node.get_text()[:80]}" for node in page.article.select(FAILED))
        yield from (f"图没有替代文字：{node.get('src')}" for node in page.article.select("img:not([alt]), img[alt='']"))

    settle(f"{where(page.name)}：{problem}" for page in book.pages.values() for problem in problems(page))


def test_every_link_and_resource_exists(book):
    """链接、图、脚本、样式都在网站里；锚点在那一页上，而且不会随内容的增减而变。"""

    def problems(page):
        for node in page.soup.find_all(list(LINKING)):
            link = node.get(LINKING[node.name])
            if not link or not (place := book.resolve(page, link)):
                continue
            (path, anchor), there = place, book.page_at(place[0])
            if not path.is_relative_to(HTML) or not path.is_file():
                yield f"{node.name} 指向的文件不存在：{link}"
            elif anchor and there and anchor not in there.ids:
                yield f"链接指向的位置不存在：{link}"
        for link in page.article.select("a.headerlink[href], a.reference.internal[href*='#']"):
            if SERIAL_OR_CHINESE.search(book.resolve(page, link["href"])[1]):
                yield f"锚点不稳定：{link['href']}"

    settle(f"{where(page.name)}：{problem}" for page in book.pages.values() for problem in problems(page))
    refreshes = [
        page.path.parent / page.soup.select_one("meta[http-equiv]")["content"].split("url=")[1]
        for page in book.redirects
    ]
    assert refreshes and all(path.is_file() for path in refreshes)


def test_every_document_has_a_page_and_none_is_left_over(book):
    """_toc.yml 里的都在；删去的页面不该还在网站上。"""
    assert {name for name in book.pages if name.startswith("chapters/")} == set(ORDER)
    ids = set().union(*(page.ids for page in book.pages.values()))
    functions = [name for name in helpers.__all__ if inspect.isfunction(getattr(helpers, name))]
    settle(f"chapters/api.md 里没有 helpers.{name}" for name in functions if f"helpers.{name}" not in ids)


LABEL = re.compile(r"^(?:\((\S+)\)=|:(?:label|name): *(\S+))$", re.MULTILINE)


def pixels(picture):
    """各像素的指纹：网页上的是 WebP，存下的是 PNG。"""
    return hashlib.sha256(Image.open(io.BytesIO(picture)).convert("RGBA").tobytes()).hexdigest()


@pytest.mark.parametrize("name", notebooks())
def test_page_shows_the_whole_notebook(book, name):
    """代码、印出来的、图、题注、替代文字、标签，一样不少，次序不变。"""
    notebook, page = notebooks()[name], book.pages[name]
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    wanted = {label: label.replace("_", "-").lower() for pair in LABEL.findall(text) for label in filter(None, pair)}
    settle(f"{where(name, label)}：没有成为锚点" for label, anchor in wanted.items() if anchor not in page.ids)
    cells = [cell for cell in code_cells(notebook) if "remove-cell" not in cell.metadata.get("tags", [])]
    shown = [node.get_text().strip() for node in page.article.select(".cell_input pre")]
    assert shown == [one_blank_line(cell.source) for cell in cells]
    printed = re.sub(r"\s", "", "".join(text_of(node) for node in page.article.select(".cell_output")))
    figures = {}
    for cell in cells:
        for output in cell.outputs:
            text = re.sub(r"\s|\x1b\[[\d;]*m", "", output.get("text", ""))
            assert text in printed, f"{name}.ipynb 单元格 {cell.id} 印出来的不在页面上"
        for png in figure_checks.pictures(cell.outputs):
            figure, image = cell.metadata["mystnb"]["figure"], cell.metadata["mystnb"]["image"]
            is_photo = "photo" in image.get("classes", "")
            figures[figure["name"]] = (pixels(png), chinese(figure["caption"]), image["alt"], is_photo)
    found = {}
    for node in page.article.select("figure:has(img)"):
        picture = (page.path.parent / node.img["src"]).read_bytes()
        caption = chinese(node.select_one(".caption-text").get_text())
        found[node["id"]] = (pixels(picture), caption, node.img["alt"], "photo" in node.img.get("class", []))
    assert list(found) == list(figures), f"{where(name)}：图的次序"
    settle(
        f"{where(name, figure)}：图、题注、替代文字或是不是照片与页面上的不同"
        for figure in found
        if found[figure] != figures[figure]
    )


MAX_HANDS = 60 * 1024  # 字节：全部动手图的代码，压缩之后


def test_hands_on_figures_stand_above_their_still_ones(book):
    """静止的那幅图在动手图的下面；各页只加载自己的几幅，全部代码合起来不大。"""
    used = set()
    for page in book.chapters:
        boxes = page.article.select("div.hands-on")
        for box in boxes:
            _, still = book.target(page, box.select_one(".hands-still a")["href"])
            below = any(still is figure for figure in box.find_all_next("figure"))
            assert below, f"{where(page.name, box['id'])}：静止的图不在 {box['id']} 的下面"
        mine = {box["id"].removeprefix("hands-") for box in boxes}
        loaded = {PurePosixPath(node["src"]).stem for node in page.soup.select("script[src*='hands/']")}
        assert loaded == (mine | {"common"} if mine else set()), page.name
        assert bool(page.soup.select("link[href*='hands.css']")) == bool(mine), page.name
        used |= loaded
    sizes = {path.name: len(gzip.compress(path.read_bytes())) for path in (HTML / "_static" / "hands").iterdir()}
    assert len(used) > 1 and {f"{name}.js" for name in used} <= set(sizes)
    assert sum(sizes.values()) <= MAX_HANDS, sizes


# ---------------------------------------------------------------- 编号、术语、练习

NUMBERED = "div.math, figure, div.exercise, table"
NUMBER = re.compile(r"\d+(?:\.\d+)*")


def source_label(anchor):
    """锚点在源文件里的标签；公式的前面多一个 equation-。"""
    return anchor.removeprefix("equation-")


def number_of(node):
    """公式、图、表、练习上印着的编号；没有编号的是 None。"""
    printed = node.select_one(".eqno, .caption-number") if soupsieve.match(NUMBERED, node) else None
    return NUMBER.search(printed.get_text())[0] if printed else None


def test_links_show_the_number_printed_at_the_target(book):
    """印出来的编号，每一页每一类从 1 数起，不跳不重。"""
    for page in book.chapters:
        counts = Counter()
        for node in filter(number_of, page.article.select(NUMBERED)):
            counts[kind := node["id"].split("-")[0]] += 1
            right = int(number_of(node).split(".")[-1]) == counts[kind]
            assert right, f"{where(page.name, source_label(node['id']))} 印着 {number_of(node)}"
    settle(
        f"{where(page.name, source_label(node['id']))}：链接写的是 {link.get_text()}，那里印着 {number_of(node)}"
        for page, link, _, node in book.links()
        if number_of(node) and not link.img and NUMBER.findall(link.get_text()) != [number_of(node)]
    )


def terms(glossary):
    """术语表：锚点 → (中文, 几个英文)。"""
    for entry in glossary.article.select("dl.glossary > dt[id]"):
        english = entry.find_next_sibling("dd").get_text().strip().split("。")[0]
        yield entry["id"], (squeeze(text_of(entry)), english.split(", "))


def test_every_term_has_english_a_place_and_a_link_from_the_text(book):
    """反过来，正文链接了表里没有的术语，构建时就会失败。"""
    glossary, places = book.pages["chapters/glossary"], book.links('article a[href*="#term-"]')
    linked = {node["id"] for page, *_, node in places if page is not glossary}
    for key, (name, english) in terms(glossary):
        place = where(glossary.name, name)
        assert key in linked, f"{place}：正文没有一处链接到{name}"
        assert re.match("[A-Za-z]", english[0]), f"{place}：{name}的释义要以英文开头"
        assert glossary.ids[key].find_next_sibling("dd").select("a[href*='#']"), f"{place}：没有写明{name}见哪里"


def test_english_in_brackets_belongs_to_its_term(book):
    """链接了的术语，括号里的英文是术语表里那一条的；没有链接的“词（english）”，英文若在表里，词也要对得上。"""
    entries = dict(terms(book.pages["chapters/glossary"]))
    owners = {english.lower(): name for name, names in entries.values() for english in names}
    problems = []
    for page, link, _, node in book.links('article a[href*="#term-"]'):
        name, english = entries[node["id"]]
        after = "".join(link.find_all_next(string=True)[len(link.find_all(string=True)) :][:3])
        said = re.match(r"（([A-Za-z][^（）]*)）", after)
        words_said = map(str.strip, re.split(r"[，、]|又称", said[1])) if said else []
        said = [word for word in words_said if re.match("[A-Za-z]", word)]  # “也译偏置”之类不算
        if link.get_text() != name or set(said) - {*english}:
            place = where(page.name, f"{{term}}`{link.get_text()}")
            problems.append(f"{place}：{link.get_text()}（{'，'.join(said)}）不是{name}（{'，'.join(english)}）")
    for page in book.chapters:
        for said in re.finditer(r"([\u4e00-\u9fff]+)（([A-Za-z][A-Za-z -]+)）", page.article.get_text()):
            if (owner := owners.get(said[2].lower())) and not said[1].endswith(chinese(owner)):
                problems.append(f"{where(page.name, said[2])}：{said[2]} 是“{owner}”的英文，不是“{said[1]}”的")
    settle(problems, "改正文，或改 chapters/glossary.md。")


def test_a_solution_follows_its_own_exercise(book):
    """练习之后紧跟着自己的解答，标签相同，折叠着，里面有算出来的东西。"""
    for page in book.chapters:
        ids = [node["id"] for node in page.article.select("div.exercise, div.solution")]
        names = [name.removeprefix("ex-") for name in ids if name.startswith("ex-")]
        wanted = [f"{kind}-{name}" for name in names for kind in ("ex", "sol")]
        assert ids == wanted, f"{where(page.name)}：练习与解答的次序 {ids}"
        for name in names:
            solution, place = page.ids[f"sol-{name}"], where(page.name, f"ex-{name}")
            links = [book.target(page, link["href"])[1]["id"] for link in solution.select(".admonition-title a")]
            assert set(links) <= {f"ex-{name}"}, f"{place}：解答指向别的练习"
            assert "dropdown" in solution["class"], f"{place}：解答没有折叠"
            assert solution.select(".cell_output"), f"{place}：解答里没有代码的输出"


# ---------------------------------------------------------------- 引用的句子与它所指的

COMMON = 0.15  # 出现在这么多小节里的词，谁都有，不算
KINDS = re.compile("^(sec|fig|ex|equation)-")


def words(text):
    """两个字一组的汉字，三个字母以上的英文。"""
    pairs = {run[i : i + 2] for run in re.findall(r"[\u4e00-\u9fff]+", text) for i in range(len(run) - 1)}
    return pairs | {word.lower() for word in re.findall(r"[A-Za-z][A-Za-z_]{2,}", text)}


def told_at(page, anchor):
    """所指的地方说了什么：小节自己的文字；图的题注与替代文字；练习连同解答；公式连同前后两段。"""
    node = page.ids[anchor]
    if node.name == "section" or "goals" in node["class"]:
        return text_of(node, ":scope > section, :scope > .goals, :scope > .rubric")
    if node.name == "figure":
        return node.get_text() + (node.img["alt"] if node.img else "")
    if "exercise" in node["class"]:
        return node.get_text() + page.ids[anchor.replace("ex-", "sol-", 1)].get_text()
    return "".join(each.get_text() for each in (node.find_previous("p"), node, node.find_next("p")) if each)


def said_around(link):
    """链接所在的一句与前后各一句；里面的链接不算，它们写的是编号或标题。链接是一幅图的，是它下面的话。"""
    if link.img:
        return link.parent.get_text()
    parts = []
    for string in link.find_parent(["p", "li", "td", "dd", "figcaption"]).find_all(string=True):
        outer = string.find_parent("a")
        parts.append("\0" if outer is link else "" if outer and "#term-" not in outer["href"] else string)
    sentences = re.split(r"[。！？；：\n]", "".join(parts))
    here = next(i for i, sentence in enumerate(sentences) if "\0" in sentence)
    return " ".join(sentences[max(0, here - 1) : here + 2]).replace("\0", "")


def test_a_reference_shares_a_word_with_its_target(book):
    """写错标签，链接照样通，编号照样对：只有话对不上。术语表里的，所指的小节里要有这个术语。"""
    anchors = [(page, anchor) for page in book.chapters for anchor in page.ids if KINDS.match(anchor)]
    told = {place: told_at(*place) for place in anchors}
    counts = Counter(word for text in told.values() for word in words(text))
    rare = {word for word, count in counts.items() if count <= COMMON * len(told)}
    problems = []
    for page, link, there, node in book.links("article a.reference.internal:not(nav *, figure *, .admonition-title *)"):
        place, heading = (there, book.resolve(page, link["href"])[1]), path_to(node)[-1]
        if place not in told:
            continue
        if term := page.name == "chapters/glossary" and link.find_parent("dd"):
            said = squeeze(text_of(term.find_previous_sibling("dt")))
            fits = said.replace(" ", "") in told[place].replace(" ", "")
        else:
            named = link.get_text() == heading  # 链接写的就是所指的标题：读者知道去哪里
            said = said_around(link) + ("" if named or number_of(node) else f" {link.get_text()}")
            fits = words(said) & (words(heading) | rare & words(told[place])) or named and not words(said)
        if not fits:
            label = source_label(place[1])
            problems.append(f"{where(page.name, label)}：“{squeeze(said)}”与 {label}（{heading}）没有一个词相同")
    settle(problems, "标签写错了就改正；没有错，改一改句子。")


# ---------------------------------------------------------------- 次序与标题


def test_sections_come_in_the_same_order_everywhere(book):
    """_toc.yml、各页的全书目录与本页内容、上一页与下一页、首页与别处的清单、搜索的条目。"""
    rank = {page: number for number, page in enumerate(book.chapters)}

    def listed(page, node):
        """一份清单里指向整页的链接，依次是第几页。"""
        targets = (book.target(page, link["href"]) for link in node.select("a[href]"))
        return [rank[there] for there, node in targets if there in rank and node is there.article.section]

    entries = [tuple(entry["url"].split(".html#")) for entry in book.data("bookSearchIndex")["entries"]]
    for page in book.chapters:
        assert listed(page, page.soup.select_one("nav.bd-links")) == [*rank.values()][1:], f"{page.name} 的全书目录"
        for node in page.article.select("ol, ul, table"):
            numbers = listed(page, node)
            assert numbers == sorted(numbers), f"{where(page.name)}：清单的次序 {[ORDER[i] for i in numbers]}"
        for side, step in [("left-prev", -1), ("right-next", 1)]:
            found = [rank[book.target(page, link["href"])[0]] for link in page.soup.select(f"a.{side}")]
            wanted = [number for number in rank.values() if number == rank[page] + step]
            assert found == wanted, f"{page.name} 的 {side}"
        inner = {section["id"]: section for section in page.sections[1:]}
        contents = [link["href"][1:] for link in page.soup.select(".page-toc a[href]")]
        assert [name for name in contents if name in inner] == list(inner), f"{page.name} 的本页内容"
        wanted = [label_of(section) for section in page.sections]
        assert [name for there, name in entries if there == page.name and name in wanted] == wanted, page.name


def test_titles_are_the_same_everywhere(book):
    """浏览器的标签、目录、本页内容、上一页与下一页上写的，就是那里的标题与编号。"""
    for page in book.chapters:
        assert page.soup.title.get_text().startswith(squeeze(text_of(page.article.h1))), page.name
    for page, link, _, node in book.links("nav.bd-links a, .page-toc a, a.left-prev, a.right-next"):
        if node.name == "section":
            name = link.select_one(".prev-next-title") or link
            heading = node.find(HEADING, recursive=False)
            assert squeeze(name.get_text()) == squeeze(text_of(heading)), f"{page.name} 里到 {node['id']} 的链接"


# ---------------------------------------------------------------- 篇幅、简介、搜索、卡片


def paragraphs(page):
    """正文的段落；标题下的篇幅、题注、练习的标题不算。"""
    return page.article.select("p:not(.reading-time, .admonition-title, .rubric, figcaption *, nav *)")


def test_reading_time_is_that_of_the_page(book):
    """解答与折起来的代码不算；每分钟三百字，一个公式、一格代码各一分钟；练习按星数。"""
    for page in book.chapters:
        exercises, lines = page.article.select("div.exercise"), page.article.select(".reading-time")
        shown = [node for node in paragraphs(page) if not node.find_parent(class_="solution")]
        count = len(chinese(" ".join(node.get_text() for node in shown)))
        steps = page.article.select("div.math, div.cell_input")
        steps = [node for node in steps if not (node.find_parent("details") or node.find_parent(class_="solution"))]
        minutes = math.ceil((count / 300 + len(steps)) / 5) * 5
        doing = sum({1: 5, 2: 15, 3: 30}[text_of(node.select_one("p")).count("★")] for node in exercises)
        wanted = f"约 {round(count, -2)} 字，读约 {minutes} 分钟；练习 {len(exercises)} 道，做约 {doing} 分钟"
        place = f"{page.name}（改 ext/ 里写篇幅的一步）"
        assert [line.get_text() for line in lines] == [wanted] * bool(exercises), place


def test_description_is_the_first_paragraph(book):
    for page in book.chapters:
        text = squeeze(next(iter(paragraphs(page)), page.soup.title).get_text())
        wanted = text[:100] + "…" * (len(text) > 100)
        found = page.soup.select_one("meta[name=description]")["content"]
        assert found.replace(" ", "") == wanted.replace(" ", ""), f"{page.name}（改 ext/ 里写简介的一步）"


# 搜索条目里不收：输出、折起的代码、代码（另存）、公式、练习的标题（另存）；术语归到讲解它的小节；文献只在书目里
UNSEARCHED = (
    ".cell_output, div.highlight, .math, .reading-time, .minutes, .caption-number, h1, h2, h3, h4, dl.glossary,"
    " div.citation, .exercise > .admonition-title, .solution > .admonition-title, .hint > .admonition-title"
)
INNER = ":scope > section:has(> :is(h1, h2, h3, h4)), div.exercise, div.solution, dl.py.function"


def code_of(part):
    """这一部分自己的代码，不算里层小节、练习与解答里的。"""
    blocks = part.select("div.highlight:not(.cell_output *, details.hide *)")
    inner = {id(block) for each in part.select(INNER) for block in each.select("div.highlight")}
    return "".join(block.get_text() for block in blocks if id(block) not in inner)


def test_search_entries_are_those_of_the_page(book):
    """每个小节、练习、函数恰有一条；标题、上级、文字、代码都是页面上的。"""
    index = {tuple(entry["url"].split(".html#")): entry for entry in book.data("bookSearchIndex")["entries"]}
    assert len(index) == len(book.data("bookSearchIndex")["entries"])
    for page in book.chapters:
        wanted = {}  # 锚点 → (标题, 上级, 文字, 代码)
        for section in page.sections:
            *parents, name = path_to(section)
            wanted[label_of(section)] = (name, parents, text_of(section, UNSEARCHED, INNER), code_of(section))
        for node in page.article.select("div.exercise"):
            solution = page.ids[node["id"].replace("ex-", "sol-", 1)]
            text = text_of(node, UNSEARCHED) + text_of(solution, UNSEARCHED)
            name, code = node.select_one(".admonition-title").get_text(), code_of(node) + code_of(solution)
            wanted[node["id"]] = (name, path_to(node)[:1], text, code)
        for node in page.article.select("dl.py.function > dt[id]"):
            wanted[node["id"]] = (node["id"], path_to(node), text_of(node.parent), "")
        for anchor, (name, parents, text, code) in wanted.items():
            assert (page.name, anchor) in index, f"{page.name} 的 {anchor} 搜不到"
            entry = {key: re.sub(r"\s", "", str(value)) for key, value in index.pop((page.name, anchor)).items()}
            same = {"title": name, "parents": "›".join(parents), "code": code}
            for key, value in same.items():
                assert entry[key] == re.sub(r"\s", "", value), f"{page.name} 的 {anchor} 在搜索里的 {key}"
            # 只有标题的小节，条目里列的是里层的标题
            assert chinese(text) in ("", chinese(entry["text"])), f"{page.name} 的 {anchor} 在搜索里的文字"
    assert set(index) == set()


def test_cards_are_what_they_point_to(book):
    """指着术语、文献、公式时看到的，就是那里写的；术语的“见……”不写，公式另写它的编号与所在的一节。"""
    cards = book.data("bookCards")
    assert not re.search("<a |mathml", "".join(cards.values()))  # 卡片里的链接点不动
    cards = {key: squeeze(html.unescape(re.sub("<[^>]+>", "", card))) for key, card in cards.items()}
    for name, node in {node["id"]: node for *_, node in book.links("article a[href*='#']")}.items():
        if name.startswith("equation-"):
            formula = "".join(formula["data-seen"] for formula in node.select(".katex"))
            source = f"式 ({number_of(node)})，{path_to(node)[0]}"
            same = cards[name] == squeeze(formula + source)
        elif name.startswith(("term-", "cite-")):
            parts = [node, node.find_next_sibling("dd")] if node.name == "dt" else [node]
            wanted = "".join(text_of(part, ".label, .backrefs") for part in parts)
            for formula in node.parent.select(".katex"):
                wanted = wanted.replace(formula.get_text(), formula["data-seen"])
            wanted = re.sub(r"(?<=[。；])见[^。]*。$", "", wanted.strip())
            same = re.sub(r"\s", "", cards[name]) == re.sub(r"\s", "", wanted) != ""
        assert not name.startswith(("equation-", "term-", "cite-")) or same, f"{name} 的卡片"
