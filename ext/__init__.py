"""本书的 Sphinx 扩展。全部挂钩在 setup 里，一个阶段一个函数，按运行的次序；别的文件都是普通的模块。"""

import os
from pathlib import Path
from types import SimpleNamespace

from myst_nb.sphinx_ import HideCodeCellNode, depart_HideCellInput, visit_HideCellInput
from sphinx.util.i18n import CatalogRepository

from . import (
    anchors,
    cards,
    checkin,
    contents,
    figures,
    formulas,
    glossary,
    hands_on,
    heights,
    images,
    launch,
    offline,
    pages,
    plain_notebooks,
    quiz,
    reading,
    rebuild,
    search,
    sections,
    typography,
    web,
)

HERE = Path(__file__).parent


def setup(app):
    configure(app)
    book = SimpleNamespace()  # 写一遍网站时，各阶段交接的东西

    def on(event, priority=500, any_format=False):
        def connect(step):
            app.connect(event, lambda _, *args: step(*args) if any_format or is_site() else [], priority)

        return connect

    def is_site():
        return app.builder.name in ("html", "dirhtml", "singlehtml")  # LaTeX、EPUB 没有搜索、卡片与合成的样式

    @on("builder-inited")
    def builder_chosen():
        app.builder.search = False  # 不要 Sphinx 自己的索引与搜索页

    @on("doctree-read", priority=100, any_format=True)  # Sphinx 随后收集标题的 id
    def each_document_read(doctree):
        anchors.prefer_labels(doctree)
        sections.box_goals(doctree)
        sections.fold_imports(doctree)
        anchors.name_terms(doctree, app.env.get_domain("std"), app.env.docname)

    @on("env-updated")
    def all_documents_read(env):
        book.entries, book.terms, book.cards, book.tasks = {}, [], {}, {}
        book.images, book.sheets, book.files, book.minutes = {}, {}, [], {}
        if rebuild.is_current(app.builder) and plain_notebooks.folder_of(app).exists():
            return []
        rebuild.clear(app.builder)
        return env.found_docs  # 都要写

    @on("doctree-resolved")
    def each_page_resolved(doctree, docname):
        anchors.drop_repeated_ids(doctree)
        contents.fill(doctree, docname, app)
        figures.fill_excerpts(doctree, docname, app)
        figures.inline_drawings(doctree, app)
        figures.put_figures_first(doctree)
        typography.set_lines(doctree)
        typography.use_chinese_colons(doctree)
        typography.close_up_code(doctree)
        typography.align_numbers(doctree)
        book.entries[docname] = search.page_entries(doctree, docname, app)
        book.terms += search.glossary_terms(doctree)
        book.cards |= cards.page_cards(doctree, docname, app)
        book.tasks[docname] = checkin.tasks(doctree)
        book.images |= hands_on.images(doctree)
        sections.group_exercises(doctree)
        sections.merge_folded_code(doctree)
        sections.fold_hints(doctree)
        sections.drop_empty_titles(doctree)
        sections.lift_lists(doctree)
        glossary.arrange(doctree)
        launch.links(doctree, docname, app)
        book.minutes[docname] = reading.add_reading_time(doctree)
        reading.name_folded_code(doctree)
        reading.fold_long_outputs(doctree)
        reading.load_lazily(doctree)

    @on("html-page-context", priority=900)  # 别的扩展都加过样式表以后
    def each_page_filled_in(pagename, templatename, context, doctree):
        context["has_formulas"] = formulas.has_formulas(doctree)
        context["early_fonts"] = formulas.early_fonts(doctree)
        context["next_opening"] = contents.next_opening(pagename, app)
        summary = reading.summary(doctree, app.config.html_title)
        tags = web.description(app.config, pagename, context.get("title") or app.config.html_title, summary)
        tags += heights.style(doctree) if doctree else ""
        context["metatags"] = context.get("metatags", "") + tags
        if glossary.has_terms(doctree):
            app.add_js_file("glossary.js", defer="defer")
        context["hands_on"] = hands_on.scripts(doctree)
        for script in context["hands_on"]:
            app.add_js_file(script, defer="defer")  # 只在这一页
        book.sheets |= {str(sheet.filename): sheet.priority for sheet in context["css_files"]}
        book.files.append(Path(app.builder.get_outfilename(pagename)))

    @on("html-collect-pages")
    def pages_without_source():
        return [("search", {}, "search.html"), ("404", {"html_baseurl": app.config.html_baseurl}, "404.html")]

    @on("build-finished", priority=900)  # 别的扩展都写完以后
    def all_pages_written(exception):
        if exception is None and book.files:
            contents.write_minutes(Path(app.builder.get_outfilename(app.config.root_doc)), book.minutes)
            search.write(app.outdir, book.entries, book.terms, Path(app.config.book_search))
            cards.write(app.outdir, book.cards)
            checkin.write(app.outdir, app, book.tasks)
            images.write(app.outdir, app.confdir, book.images)
            web.write_front_door(app.outdir, app.config, app.builder)
            web.write_sitemap(app.outdir, app.config, app.env.found_docs)
            pages.finish(app.outdir, book.files, book.sheets, strict=app.builder.name != "singlehtml")
            if app.builder.name == "html":
                plain_notebooks.write(app)
                offline.write(app.outdir, app.config.html_title, f"{app.config.root_doc}.html")
            rebuild.finish(app.builder)

    return {"parallel_read_safe": True, "parallel_write_safe": False}


def configure(app):
    """模板、样式、脚本、公式、译文；扩展自己变了，网站也要重写。"""
    here, config = os.path.relpath(HERE, app.confdir), app.config
    config.templates_path = [*config.templates_path, f"{here}/templates"]
    config.html_static_path = [*config.html_static_path, f"{here}/static"]
    config.exclude_patterns = [*config.exclude_patterns, "README.md", "katex/katex.min.js"]  # 不复制到网站
    for name in ("katex/katex.min", "search/search"):
        app.add_css_file(f"{name}.css", priority=500)
    for name in ("icons", "book", "navigation", "sections", "code", "figures", "landing", "quiz", "appendix", "print"):
        app.add_css_file(f"{name}.css", priority=800)
    for name in ("search/search", "cards", "unfold", "reading", "figures", "progress", "quiz", "checkin"):
        app.add_js_file(f"{name}.js", defer="defer")
    app.add_directive("hands-on", hands_on.HandsOn)
    app.add_directive("quiz", quiz.Quiz)
    app.add_directive("checkin", checkin.CheckIn)
    config.html_math_renderer = "katex"
    app.add_html_math_renderer("katex", (formulas.visit_inline, None), (formulas.visit_block, None))
    # myst-nb 只为 html 登记了折起的单元格；别的扩展为 singlehtml 登记过，Sphinx 就不再退回到 html 的
    hidden = (visit_HideCellInput, depart_HideCellInput)
    app.add_node(HideCodeCellNode, override=True, html=hidden, singlehtml=hidden)
    drawing = (figures.visit_drawing, None)
    app.add_node(figures.drawing, html=drawing, singlehtml=drawing)
    line_break = (typography.visit_wbr, None)
    app.add_node(typography.wbr, html=line_break, singlehtml=line_break)
    app.add_directive("excerpt", figures.Excerpt)
    for catalog in CatalogRepository(HERE, ["locale"], config.language, "utf-8").catalogs:
        if catalog.is_outdated():
            catalog.write_mo(config.language)
    app.add_message_catalog("booktheme", str(HERE / "locale"))
    app.add_config_value("book_search", str(HERE / "search"), "")  # questions.yml 与 words.yml 所在
    app.add_config_value("book_repository", launch.repository(app.srcdir), "env")
    words = Path(config.book_search)
    app.add_config_value("book_code", rebuild.digest(HERE.glob("*.py")), "env")  # 变了，源文件要重读
    looks = [path for path in (*HERE.rglob("*"), *words.glob("*")) if path.suffix not in (".py", ".pyc", ".mo")]
    app.add_config_value("book_looks", rebuild.digest(looks), "html")  # 变了，网页要重写
