"""Detects what a question asks about a photo, by its words, in the page's languages.

asks_for_boxes(text)      positions or numbers of things, which the answer gives as boxes
asks_of_a_photo(text)     the content of a photo, which cannot be answered if none was sent
"""

import re
from functools import cache

BOXES = re.compile(
    r"\b(box(es)?|box_2d|where|mark|point|locate|find|count|how many|draw"
    r"|d[oó]nde|se[ñn]ala|marca|encuentra|cu[aá]nt[oa]s|cuenta|dibuja"
    r"|où|marque|montre-moi|trouve|combien|compte|dessine)\b"
    r"|どこ|いくつ|何[個人匹台本枚]|数え|見つけ|在哪|哪里|哪裡|多少|几[个只辆]|标出|找出|数一数",
    re.IGNORECASE,
)
MOST_CHARACTERS = 160
"""A longer text is more than a question about a photo."""
PHOTO = r"(photo(graph)?|picture|pic|image|screenshot|selfie)s?"
SENT = r"(attached|uploaded|last|above)"
ENDS = r"\W*$|[?!.,;:]| (please|in detail|for (me|some)|shows?|contains?|says?|about|above|here|i|that i)"
"""What follows `the photo` if a sent one is meant, not "the picture of health" or "the image of a function"."""
ASKED = (
    # en
    rf"\b(what|who|where|which|how many|is|are|does|do|can|read|describe|explain|translate|identify|tell me|look at)\b"
    rf".*\b((this|that|these|those) ({SENT} )?{PHOTO}\b|(the|my) ({SENT} )?{PHOTO}(?={ENDS}))",
    r"\bwhat (do|can|did) you see\b(?! (in|as) (the|your|my) (future|role|main|biggest))",
    r"\bwhat('s| is| am i|do i have)\b.*\b(looking at|holding|pointing at|in front of (me|my camera|the camera))\b",
    r"\bcan you see (this|that|me|it|what)\b",
    r"^\W*(what|who)('s| is| are) (this|that|these|those|it)\W*$",
    # es
    r"\b(qu[eé]|qui[eé]n(es)?|d[oó]nde|cu[aá]nt[oa]s|hay|lee|describe|explica|traduce|mira)\b"
    r".*\b(esta|la|mi|estas|las) (foto(graf[ií]a)?|imagen|im[aá]genes|captura)s?\b",
    r"\bqu[eé] (ves|puedes ver)\b|^\W*qu[eé] es (esto|eso)\W*$",
    # fr
    r"(\bqu'|\b(que|quoi|qui|où|combien|y a-t-il|lis|d[ée]cris|explique|traduis|regarde)\b)"
    r".*\b(cette|la|ma|ces|les) (photo(graphie)?|image|capture)s?\b",
    r"\b(que vois-tu|que voyez-vous|qu'est-ce que (tu vois|vous voyez|c'est)\W*$|c'est quoi( ça)?\W*$)",
    # ja, zh
    r"(この|その|添付の?)(写真|画像|絵|スクショ)|(写真|画像)(に|の中に|には).*(何|なに|誰|だれ|どこ|ある|写)",
    r"何が(見え|写って)|^\W*(これ|それ)は(何|なん|なに)(です|でしょう)?か?\W*$",
    r"(这|那|這)?(张|張|幅)(照片|图|圖|相片)|(照片|图片|圖片|相片)(里|裡|中|上).*(什么|什麼|谁|誰|哪|多少|几)",
    r"你(能)?看(到|见|見)了?(什么|什麼)|^\W*(这|那|這)是(什么|什麼|谁|誰)\W*$",
)


@cache
def photo_asked() -> re.Pattern[str]:
    """Return the pattern of all ASKED. It is compiled on first use, because that takes 8 ms."""
    return re.compile("|".join(f"(?:{each})" for each in ASKED), re.IGNORECASE | re.DOTALL)


def asks_for_boxes(text: str) -> bool:
    """Whether a question asks for positions or numbers of things."""
    return BOXES.search(text) is not None


def asks_of_a_photo(text: str) -> bool:
    """Whether a short question asks what a photo shows, such as `What is in this photo?` or `What is this?`."""
    return len(text) <= MOST_CHARACTERS and photo_asked().search(text.replace("’", "'")) is not None
