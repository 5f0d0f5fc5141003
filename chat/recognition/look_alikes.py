"""Letters that Latin shares with Cyrillic. A line of only these is ambiguous, and the recogniser knows only Latin.

It reads МЕТРО as METPO with a score of 1.00. Other text in the photo decides between them. Without any, words that are
common on signs in Latin script are taken as Latin, and all others are reported in both scripts.
"""

LATIN = "ABCEHIKMOPTXYaceiopxy"
CYRILLIC = "АВСЕНІКМОРТХУасеіорху"
IN_CYRILLIC = str.maketrans(LATIN, CYRILLIC)
SHARED = frozenset(LATIN)
LEAST_LETTERS = 3
FAINT = 0.7
"""A letter with a lower score may be one of another script."""
FIRST_SIGN, CERTAIN_SIGN = "\u3000", 0.95
ON_SIGNS = """
ATM ATTIC BABY BACK BAHAMA BAKE BATH BEACH BIKE BIO BIOME BOAT BOMB BOOK BOOT BOX CAB CACAO CACHE CAKE CAMP CAMPO
CAPE CAT CHAI CHAT CHEAP CHECK CHIC CHIME CHIP CITE CITI COACH COAT COCA COCOA COFFEE COMBO COME COMET COMIC COMMIT
COMPACT COMTE COOK COPY COTE EAT EBAY EBIKE ECO EMPTY ETAPE ETHIC ETHOS EXIT EXITS HAM HAT HBO HEAT HIKE HIP HIT
HOME HOOK HOP HOT HTC HTTP IKEA ITEM KEBAB KEEP KEY KIM KIOTO KIT KPMG MAKE MAMA MAP MAX MAXI MEAT MEET MET MEXICO
MEXX MIAMI MICE MIKE MIX MOM MOTO MOTT OBEY OKAY OPTIC OPTICA PACE PACT PAPA PATE PATH PATIO PAY PEACE PEACH PET
PHI PHO PHOTO PIE PIT POCO POP POST POT TAB TABAC TAHITI TAKE TAPE TAXE TAXI TAXIS TEA TEACH TEAM TEX TEXT THE
TIBET TICKET TIE TIM TIME TIP TOKIO TOM TOP TOPIC TOTEM TOTO TOXIC TOY XBOX
"""
LATIN_WORDS = frozenset(ON_SIGNS.split())


def letters_of(text: str) -> list[str]:
    """Return the letters of a text."""
    return [character for character in text if character.isalpha()]


def is_shared(text: str) -> bool:
    """Whether every letter of a line is also a Cyrillic one."""
    letters = letters_of(text)
    return bool(letters) and SHARED.issuperset(letters)


def is_doubtful(lines: list[str]) -> bool:
    """Whether all lines could be Cyrillic, and none has a word of LATIN_WORDS."""
    words = ["".join(letters_of(word)).upper() for line in lines for word in line.split()]
    enough = sum(map(len, words)) >= LEAST_LETTERS
    return enough and all(map(is_shared, filter(None, words))) and LATIN_WORDS.isdisjoint(words)


def is_half_read(text: str, shares: tuple[float, ...]) -> bool:
    """Whether all certain letters of a line are shared, and only uncertain ones are not (АПТЕКА read as ANTEKA)."""
    if any(is_sign_among_letters(text, shares, at) for at in range(1, len(text) - 1)):
        return True
    pairs = [(letter, share) for letter, share in zip(text, shares, strict=False) if letter.isalpha()]
    certain = {letter for letter, share in pairs if share >= FAINT}
    faint = {letter for letter, share in pairs if share < FAINT}
    return bool(certain) and certain <= SHARED and not faint <= SHARED


def is_sign_among_letters(text: str, shares: tuple[float, ...], at: int) -> bool:
    """Whether an uncertain Chinese character is between two Latin letters (ΤΑΞΙ read as TA三I)."""
    letters = text[at - 1] + text[at + 1]
    return text[at] >= FIRST_SIGN and shares[at] < CERTAIN_SIGN and letters.isascii() and letters.isalpha()


def in_cyrillic(text: str) -> str:
    """Return the text with the Cyrillic letters instead of the Latin ones."""
    return text.translate(IN_CYRILLIC)
