"""An answer's Markdown as HTML, for the page as the server sends it.

The elements are those of `static/chat/markdown/elements.js`, which writes the same text anew once the page's modules
are loaded; `tests/browser/test_first_paint.py` compares the two. What only the page can write (formulas, footnotes,
boxes to tick) has no HTML here. Every text is escaped, and the only attributes that come from it are a plain address,
the name of a code's language and a list's number.
"""

import re
from collections.abc import Callable

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode as Node

from chat.views.words import word

LONGEST = 3_000
"""Characters: more than a screen shows. Markdown-it takes some 2 ms for 1,000."""
ONLY_IN_THE_PAGE = re.compile(r"\$[^$]+\$|\\[(\[]|\[\^|^ *(?:[-*+]|\d+[.)]) +\[[ xX]\]", re.MULTILINE)
MOST_CELLS = LONGEST // 2
"""Of tables. Each that is written takes two characters, but a row that ends early is filled up to the head's width."""
GROUP = 16
"""Blocks in one element, as in `static/chat/markdown.js`."""
FENCE = re.compile(r" {0,3}(?:```|~~~)")
BEGINNING = re.compile(r"(?!\d+[.)])[^-*+>|\s]")
"""The first characters of a line after a blank one that goes on with no list, quotation or table."""
ADDRESS = re.compile(
    r"https?://((?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?)(?:[/?#][!-~]*)?|mailto:([\w.+-]+@[\w.-]+)", re.ASCII
)
"""One that a browser reads as it is written. Others lead nowhere until the page has read them (`links.js`)."""

_parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def html_of(text: str) -> SafeString | None:
    """Return the answer as HTML, of a long one its last blocks; None where only the page can write it."""
    end = end_of(text)
    if not end or ONLY_IN_THE_PAGE.search(end) or most_cells_of(end) > MOST_CELLS:
        return None
    try:
        root = Node(_parser.parse(end))
        _outline(root)
        return mark_safe(_html(root))  # noqa: S308 (its texts are escaped)
    except RecursionError:  # hundreds of marks in one another
        return None


def end_of(text: str) -> str:
    """Return the last blocks of a text, LONGEST characters at most; "" where one block alone has more."""
    if len(text) <= LONGEST:
        return text
    is_code, after_blank, at = False, False, 0
    for line in text.splitlines(keepends=True):
        if len(text) - at <= LONGEST and after_blank and not is_code and BEGINNING.match(line):
            return text[at:]
        is_code ^= bool(FENCE.match(line))
        after_blank = line.isspace()
        at += len(line)
    return ""


def most_cells_of(text: str) -> int:
    """Return how many cells the tables of a text may have at most: as many in each line as a line of dashes has."""
    lines = text.splitlines()
    widths = (line.strip(" >|").count("|") + 1 for line in lines if "|" in line and "-" in line)
    return max(widths, default=0) * len(lines)


def _outline(root: Node) -> None:
    """Give each heading the level of its place: as `headingOf` in `static/chat/markdown/elements.js`."""
    levels: list[int] = []
    for node in root.walk(include_self=False):
        if node.type != "heading":
            continue
        level = int(node.tag[1])
        while levels and levels[-1] >= level:
            levels.pop()
        levels.append(level)
        node.attrs["aria-level"] = len(levels) + 1


def _root(root: Node) -> str:
    blocks = [_html(node) for node in root.children]
    groups = ["".join(blocks[at : at + GROUP]) for at in range(0, len(blocks), GROUP)]
    inside = "".join(f'<div class="blocks">{group}</div>' for group in groups)
    return f"<div>{inside}</div>"


def _html(node: Node) -> str:
    return ELEMENTS.get(node.type, _text)(node)


def _inside(node: Node) -> str:
    return "".join(map(_html, node.children))


def _text(node: Node) -> str:
    return escape(node.content)


def _element(tag: str) -> Callable[[Node], str]:
    return lambda node: f"<{tag}>{_inside(node)}</{tag}>"


def _block(tag: str) -> Callable[[Node], str]:
    return lambda node: f"<{tag}{_dir(node)}>{_inside(node)}</{tag}>"


def _dir(node: Node) -> str:
    """A block's lines begin where its first letters do; one that another begins with has that one's direction."""
    is_first = node.parent is not None and node.parent.type != "root" and node.previous_sibling is None
    return "" if is_first else ' dir="auto"'


def _heading(node: Node) -> str:
    """A message's headings begin below the page's own."""
    tag, level = f"h{min(int(node.tag[1]) + 1, 6)}", node.attrs["aria-level"]
    own = "" if tag == f"h{level}" else f' aria-level="{level}"'
    return f"<{tag}{_dir(node)}{own}>{_inside(node)}</{tag}>"


def _list(node: Node) -> str:
    loose = any(not kid.hidden for item in node.children for kid in item.children if kid.type == "paragraph")
    spacing = ' class="loose"' if loose else ""
    start = format_html(' start="{}"', node.attrs["start"]) if "start" in node.attrs else ""
    return f"<{node.tag}{_dir(node)}{spacing}{start}>{_inside(node)}</{node.tag}>"


def _code(node: Node) -> str:
    language = node.info.strip()[:40] if node.type == "fence" else ""
    return format_html(
        '<figure data-language="{name}" dir="ltr"><figcaption>{name}'
        '<button type="button" class="quiet" data-do="wrap code" aria-pressed="false">{wrap}</button>'
        '<button type="button" class="quiet" data-do="copy code">{copy}</button></figcaption>'
        '<pre tabindex="0" aria-label="{label}" role="region"><code>{code}</code></pre></figure>',
        name=language or "text",
        wrap=word("Wrap"),
        copy=word("Copy"),
        label=word("Code: {language}").format(language=language or word("text")),
        code=node.content.removesuffix("\n"),
    )


def _table(node: Node) -> str:
    name = escape(word("Table"))
    attributes = f'class="table" tabindex="0" role="region" aria-label="{name}"{_dir(node)}'
    return f"<div {attributes}><table>{_inside(node)}</table></div>"


def _cell(node: Node) -> str:
    aligned = str(node.attrs.get("style", "")).removeprefix("text-align:")
    side = {"left": "start", "right": "end"}.get(aligned, aligned)
    attributes = f' class="align-{side}"' if side else ""
    return f"<{node.tag}{attributes}>{_inside(node)}</{node.tag}>"


def _link(node: Node) -> str:
    """With the host it leads to, where its text does not say it: as `linkTo` in `static/chat/markdown/anchors.js`."""
    address, within = str(node.attrs.get("href") or node.attrs.get("src")), _inside(node)
    found = ADDRESS.fullmatch(address)
    if not found:
        return f"<a>{within}</a>"
    host = found[1] or found[2]
    shown = re.sub(r"^(https?://|mailto:)", "", re.sub("<[^>]*>", "", within).strip(), flags=re.IGNORECASE)
    names_it = shown == host or shown.startswith((f"{host}/", f"{host}?", f"{host}#"))
    target = f'<bdi class="host">{host}</bdi>' if not names_it else ""
    return f'<a href="{escape(address)}" target="_blank" rel="noopener noreferrer nofollow">{within}{target}</a>'


ELEMENTS: dict[str, Callable[[Node], str]] = {
    "root": _root,
    "inline": _inside,
    "paragraph": _block("p"),
    "heading": _heading,
    "blockquote": _block("blockquote"),
    "bullet_list": _list,
    "ordered_list": _list,
    "list_item": _element("li"),
    "table": _table,
    "thead": _element("thead"),
    "tbody": _element("tbody"),
    "tr": _element("tr"),
    "th": _cell,
    "td": _cell,
    "fence": _code,
    "code_block": _code,
    "hr": lambda _node: "<hr>",
    "softbreak": lambda _node: "\n",
    "hardbreak": lambda _node: "<br>",
    "em": _element("em"),
    "strong": _element("strong"),
    "s": _element("s"),
    "code_inline": lambda node: f'<code dir="ltr">{escape(node.content)}</code>',
    "link": _link,
    "image": _link,
}
"""All else is text."""
