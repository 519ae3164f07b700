"""把建好的网站做成能带走的文件：book.zip、book.pdf、book.epub 与 glossary.apkg。都由同一次构建的网页做成。"""
