"""本书的 Sphinx 扩展。全部挂钩在 setup 里，一个阶段一个函数，按运行的次序；别的文件都是普通的模块。"""

import os
from pathlib import Path
from types import SimpleNamespace

from sphinx.util.i18n import CatalogRepository
from sphinx_exercise.utils import get_node_number

from . import anchors, cards, formulas, pages, plain_notebooks, reading, rebuild, search, typography

HERE = Path(__file__).parent
SITES = ("html", "dirhtml", "singlehtml")  # 别的格式（LaTeX、EPUB）没有搜索、卡片与合成的样式
MADE = {".pyc", ".mo"}  # 由别的文件生成的


def setup(app):
    configure(app)
    book = SimpleNamespace()  # 写一遍网站时，各阶段交接的东西

    def is_site():
        return app.builder.name in SITES

    def file_of(page):
        return Path(app.builder.get_outfilename(page))

    def url_of(page):
        return file_of(page).relative_to(app.outdir).as_posix()

    def number_of(exercise):
        return app.config.numfig_format["exercise"] % get_node_number(app, exercise, "exercise")

    def html_of(node):
        return app.builder.render_partial(node.deepcopy())["fragment"]

    def prepare(app):
        if is_site():
            app.builder.search = False  # 不要 Sphinx 自己的索引与搜索页

    def each_document_read(app, doctree):
        anchors.prefer_labels(doctree)
        anchors.name_terms(doctree, app.env.get_domain("std"), app.env.docname)

    def all_documents_read(app, env):
        book.entries, book.terms, book.cards, book.sheets, book.files = {}, [], {}, {}, []
        if not is_site() or (rebuild.is_current(app.builder) and plain_notebooks.folder_of(app).exists()):
            return []
        rebuild.clear(app.builder)
        return env.found_docs  # 都要写

    def each_page_resolved(app, doctree, docname):
        anchors.drop_repeated_ids(doctree)
        if is_site():
            typography.set_lines(doctree)
            typography.use_chinese_colons(doctree)
            book.entries[docname] = search.page_entries(doctree, url_of(docname), number_of)
            book.terms += search.glossary_terms(doctree)
            book.cards |= cards.page_cards(doctree, html_of)
            reading.add_reading_time(doctree)
            reading.fold_long_outputs(doctree)
            reading.load_lazily(doctree)

    def each_page_filled_in(app, pagename, templatename, context, doctree):
        context["has_formulas"] = formulas.has_formulas(doctree)
        context["metatags"] = context.get("metatags", "") + reading.description(doctree, app.config.html_title)
        if is_site():
            book.sheets |= {str(sheet.filename): sheet.priority for sheet in context["css_files"]}
            book.files.append(file_of(pagename))

    def more_pages(app):
        return [("search", {}, "search.html")] if is_site() else []

    def finish(app, exception):
        if exception is None and book.files:
            static = Path(app.outdir) / "_static"
            entries = [entry for name in sorted(book.entries) for entry in book.entries[name]]
            index = search.build_index(entries, book.terms, Path(app.config.book_search))
            pages.write_script(static / "search" / "index.js", "bookSearchIndex", index)
            pages.write_script(static / "cards-data.js", "bookCards", book.cards)
            several = app.builder.name != "singlehtml"  # 全书一页时没有下载按钮等等
            pages.finish(Path(app.outdir), book.files, book.sheets, strict=several)
            if app.builder.name == "html":
                plain_notebooks.write(app)
            rebuild.finish(app.builder)

    app.connect("builder-inited", prepare)
    app.connect("doctree-read", each_document_read, priority=100)  # Sphinx 随后收集标题的 id
    app.connect("env-updated", all_documents_read)
    app.connect("doctree-resolved", each_page_resolved)
    app.connect("html-page-context", each_page_filled_in, priority=900)  # 别的扩展都加过样式表以后
    app.connect("html-collect-pages", more_pages)
    app.connect("build-finished", finish, priority=900)  # 别的扩展都写完以后
    return {"parallel_read_safe": True, "parallel_write_safe": False}


def configure(app):
    """设置：模板、样式、脚本、公式、译文；扩展自己变了，网站也要重写。"""
    here = os.path.relpath(HERE, app.confdir)
    config = app.config
    config.templates_path = [*config.templates_path, f"{here}/templates"]
    config.html_static_path = [*config.html_static_path, f"{here}/static"]
    config.exclude_patterns = [*config.exclude_patterns, "README.md", "katex/katex.min.js"]  # 只在构建时用
    config.html_math_renderer = "katex"
    inline, block = (formulas.visit_inline, None), (formulas.visit_block, None)
    app.add_html_math_renderer("katex", inline_renderers=inline, block_renderers=block)
    for name, priority in [("katex/katex.min", 500), ("search/search", 500), ("icons", 800), ("book", 800)]:
        app.add_css_file(f"{name}.css", priority=priority)
    for name in ("search/search", "cards", "unfold"):
        app.add_js_file(f"{name}.js", defer="defer")
    for catalog in CatalogRepository(HERE, ["locale"], config.language, "utf-8").catalogs:
        if catalog.is_outdated():
            catalog.write_mo(config.language)
    app.add_message_catalog("booktheme", str(HERE / "locale"))
    app.add_config_value("book_search", str(HERE / "search"), "")  # questions.yml 与 words.yml 所在
    app.add_config_value("book_code", rebuild.digest(HERE, {".py"}), "env")  # 变了，源文件也要重读
    app.add_config_value("book_files", rebuild.digest(HERE, (), {".py", *MADE}), "html")
    app.add_config_value("book_words", rebuild.digest(Path(config.book_search)), "html")
