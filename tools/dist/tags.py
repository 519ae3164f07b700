"""PDF 的结构标签：读屏软件靠它读书。Chromium 写的缺几样，这里补上，合乎 PDF/UA（ISO 14289-1）。"""

import pikepdf
from pikepdf import Name

ROLES = {"Strong": Name.Span, "Em": Name.Span}  # PDF 2.0 才有的标签，旧的软件当作什么
BEGIN = {"m", "re", "BT", "Do", "sh"}  # 开始画一样东西的指令
DRAWN = {"f", "F", "f*", "B", "B*", "b", "b*", "S", "s", "ET", "Do", "sh"}  # 画完了
ARTIFACT = pikepdf.ContentStreamInstruction([Name.Artifact], pikepdf.Operator("BMC"))
END = pikepdf.ContentStreamInstruction([], pikepdf.Operator("EMC"))


def mend(pdf, words):
    """words 是 {链接指向的地址: 文字}。"""
    pdf.Root.StructTreeRoot.RoleMap = pikepdf.Dictionary(**ROLES)
    for item in [node for node in _nodes(pdf) if node.S == "/LI"]:
        _separate_body(pdf, item)
    for page in pdf.pages:
        _mark_artifacts(pdf, page)
        for link in page.get("/Annots", []):
            target = str(link.A.URI) if "/A" in link else f"#{str(link.Dest).lstrip('/')}"
            link.Contents = pikepdf.String(words.get(target) or target)


def _nodes(pdf):
    waiting = [pdf.Root.StructTreeRoot.K]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [child for child in _children(node) if isinstance(child, pikepdf.Dictionary) and "/S" in child]


def _children(node):
    children = node.get("/K", [])
    return list(children) if isinstance(children, pikepdf.Array) else [children]


def _separate_body(pdf, item):
    """列表的一项只许有记号（Lbl）与正文（LBody），Chromium 没有写正文这一层。"""
    children = _children(item)
    body = pdf.make_indirect(pikepdf.Dictionary(Type=Name.StructElem, S=Name.LBody, P=item))
    labels = int(children[0].get("/S") == "/Lbl")
    for child in children[labels:]:
        child.P = body
    body.K, item.K = pikepdf.Array(children[labels:]), pikepdf.Array([*children[:labels], body])


def _mark_artifacts(pdf, page):
    """不在标签里的（底色、边框、页眉、页码）写明是装饰。"""
    done, depth, begin = [], 0, None
    for instruction in pikepdf.parse_content_stream(page):
        name = str(instruction.operator)
        if begin is None and name in BEGIN:
            begin = len(done)
        done.append(instruction)
        depth += (name in ("BMC", "BDC")) - (name == "EMC")
        if name in DRAWN and not depth:
            done.insert(begin, ARTIFACT)
            done.append(END)
        if name in DRAWN or name == "n":
            begin = None
    page.Contents = pdf.make_stream(pikepdf.unparse_content_stream(done))
