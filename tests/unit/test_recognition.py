"""Recognition in photos: certain names and real text, without false positives."""

import io
import math
import random
from typing import Any

import numpy
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from chat.recognition import __main__ as program
from chat.recognition import centernet, codes, everyday, look, scene, text, text_boxes, text_lines
from chat.recognition.centernet import Box
from chat.recognition.everyday import Guess
from chat.recognition.onnx_format import Graph
from chat.recognition.text_boxes import TextBox
from chat.recognition.text_lines import Line

SIZE = (1280, 960)
DOG, CAT, CLOTH = Guess("dog", "animal", 0.6), Guess("cat", "animal", 0.3), Guess("suit", "clothing", 0.21)


def box(name: str, share: float, size: float = 0.5) -> Box:
    return Box(name, share, 0.1, 0.1, 0.1 + size, 0.1 + size)


def names(found: list[Guess], *seen: Box) -> list[tuple[str, bool]]:
    return [(thing.name, thing.sure) for thing in scene.things(found, list(seen))]


# Names


def test_the_table_of_words_names_no_class_twice_for_two_kinds():
    where: dict[int, str] = {}
    for (word, kind), found in everyday.WORDS.items():
        for number in found:
            assert 0 <= number < 1000
            assert where.setdefault(number, kind) == kind, (number, word)


def test_a_word_is_certain_where_its_classes_are_together():
    shares = numpy.zeros(1000)
    shares[[151, 207, 250]] = 0.2
    first = everyday.guesses(shares)[0]
    assert (first.word, first.kind, round(first.share, 3)) == ("dog", "animal", 0.6)


GUESSES = [("boat", False), ("shoe", False)]


@pytest.mark.parametrize(
    ("found", "seen", "told"),
    [
        ([DOG], [], [("dog", True)]),
        ([CAT], [], [("cat", False)]),
        ([CAT], [box("cat", 0.45)], [("cat", True)]),  # both say so
        (
            [Guess("shoe", "clothing", 0.38), Guess("boat", "vehicle", 0.12)],
            [box("boat", 0.5)],
            GUESSES,
        ),  # only one does
        ([CAT], [box("dog", 0.45)], [("dog", False), ("cat", False)]),
        ([], [box("horse", 0.7)], [("horse", True)]),
        ([], [box("horse", 0.7, 0.05)], [("horse", False)]),  # too small to be what the photo is of
        ([DOG, Guess("cat", "animal", 0.01)], [box("cat", 0.7)], [("dog", True)]),  # the same animal under another name
        ([DOG], [box("person", 0.6)], [("dog", True), ("person", True)]),
        ([Guess("", "food", 0.7), Guess("salad", "food", 0.2)], [], [("food", True), ("salad", False)]),
        ([Guess("", "clothing", 0.7), CLOTH], [], [("suit", False)]),  # nobody calls a photo of people that
        ([], [box("person", 0.6), box("car", 0.7)], [("person", True), ("car", True), ("street", False)]),
        ([], [], []),
    ],
)
def test_what_is_certain_is_told_and_what_is_not_is_a_guess(found, seen, told):
    assert names(found, *seen) == told


def test_a_box_is_as_gemini_writes_it():
    assert program.in_thousandths(Box("dog", 0.876, 0.1, 0.2, 0.5, 1.0)) == {
        "label": "dog",
        "box_2d": [200, 100, 1000, 500],
        "confidence": 0.88,
    }


def test_peaks_of_the_heat_are_boxes():
    heat, edges = numpy.zeros((1, 80, 128, 128), "f4"), numpy.zeros((1, 4, 128, 128), "f4")
    heat[0, 16, 64, 32], heat[0, 16, 64, 33] = 0.9, 0.8  # the second one is beside the first
    edges[0, :, 64, 32] = 64
    (found,) = centernet.boxes(heat, edges, 0.3)
    assert found.name == "dog"
    assert found[1:] == pytest.approx((0.9, 0.125, 0.375, 0.375, 0.625))


# Text


def line(words: str, share: float = 0.99, squares: float = 6, found: float = 0.97) -> Line:
    return Line(words, (share,) * len(words), TextBox(100, 50, 20 * squares, 20, 0.0, found))


@pytest.mark.parametrize(
    ("words", "believed"),
    [
        ("EXIT ONLY", True),
        ("Tür schließen", True),
        ("駅の出口はこちら", True),
        ("12/30/2016", True),
        ("A∩TEKA", False),
        ("POΣOXH", False),
        ("СТОП", False),
        (".-·-", False),
        ("", False),
    ],
)
def test_only_text_of_a_known_script_is_believed(words, believed):
    assert text.is_plausible(line(words)) is believed


def test_text_that_is_not_certain_or_does_not_fill_its_box_is_not_believed():
    assert not text.is_plausible(line("leaves", share=0.7))
    assert not text.is_plausible(line("leaves", found=0.7))
    assert not text.is_plausible(line("亡", squares=7))
    assert not text.is_plausible(line("b", share=0.99, squares=1, found=0.9))
    assert text.is_plausible(line("B7", squares=1.4))


def test_look_alikes_are_no_words_where_others_cannot_be_read():
    read = text.text_of([line("KACCA")], [line("")], 100_000, 0)
    assert (read.lines, read.either, read.unread) == ((), (), True)


@pytest.mark.parametrize("words", ["KACCA", "METPO", "PECTOPAH", "HET", "CAXAP 5", "pecypc", "B 777 OP", "TEATP"])
def test_words_that_may_be_of_either_script_are_told_in_both(words):
    read = text.text_of([line(words)], [], 100_000, 0)
    ((latin, cyrillic),) = read.either
    assert (read.lines, latin) == ((), words)
    assert not any(letter.isascii() and letter.isalpha() for letter in cyrillic)


@pytest.mark.parametrize("words", ["STOP", "TAXI", "BEACH", "HOT COFFEE", "CAMP 3", "12/30/2016", "Tür", "OK", "EXIT"])
def test_words_that_are_latin_are_not_taken_for_cyrillic(words):
    read = text.text_of([line(words)], [], 100_000, 0)
    assert (read.lines, read.either) == ((words,), ())


def test_other_writing_in_the_photo_tells_the_script():
    assert text.text_of([line("METPO"), line("Line 4")], [], 100_000, 0).either == ()


@pytest.mark.parametrize(
    ("words", "faint", "believed"),
    [("CTON", "N", False), ("ANTEKA", "N", False), ("OTKPbITO", "bI", False), ("STOP", "P", True), ("EXIT", "T", True)],
)
def test_a_letter_that_is_not_certain_among_shared_ones_makes_a_line_unreadable(words, faint, believed):
    shares = tuple(0.55 if letter in faint else 0.99 for letter in words)
    assert text.is_plausible(Line(words, shares, TextBox(100, 50, 120, 20, 0.0, 0.97))) is believed


LETTER = 24
"""Columns from the middle of one letter to that of the next."""


@pytest.mark.parametrize(
    ("ink", "read", "partial"),
    [
        ("xxxxxx", "xxxxxx", False),
        ("xxxxxx", "x..xxx", True),
        ("xxxxxx", "..xxxx", True),
        ("xxxxxx", "xxx...", True),
        ("xxx   xxx", "xxx...xxx", False),
        ("x  x  x  x", "x..x..x..x", False),
        ("xxxxxx", "......", False),
    ],
)
def test_a_line_with_more_ink_than_was_read_is_partial(ink, read, partial):
    pixels = numpy.ones((3, text_lines.HEIGHT, LETTER * len(ink)), numpy.float32)
    for number, letter in enumerate(ink):
        if letter == "x":
            pixels[:, 10:38, LETTER * number + 3 : LETTER * (number + 1) - 3] = -1
    places = numpy.array([LETTER * (number + 0.5) for number, letter in enumerate(read) if letter == "x"])
    assert text_lines.leaves_out(pixels, places) is partial


def test_a_chinese_sign_within_a_latin_word_must_be_certain():
    place = TextBox(100, 50, 80, 20, 0.0, 0.97)
    assert not text.is_plausible(Line("TA三I", (0.99, 0.99, 0.75, 0.99), place))
    assert text.is_plausible(Line("T恤T恤", (0.99, 0.99, 0.99, 0.99), place))


@pytest.mark.parametrize("degrees", [0, 5, 44, 46, 90, 135, 180])
def test_the_smallest_rectangle_around_points_has_their_angle(degrees):
    turn = math.radians(degrees)
    corners = numpy.array([(-30, -5), (-30, 5), (30, 5), (30, -5)])
    turned = corners @ numpy.array(((math.cos(turn), math.sin(turn)), (-math.sin(turn), math.cos(turn))))
    centre, along, across, angle = text_boxes.smallest_rectangle(text_boxes.hull(turned + 100))
    assert centre == pytest.approx((100, 100))
    assert sorted((along, across)) == pytest.approx((10, 60), abs=0.01)
    assert abs(angle) <= math.pi / 4 + 1e-6


def test_pixels_that_touch_are_one_component():
    rows = ("##...#", ".#...#", "..#...", "......", "####..")
    mask = numpy.array([[pixel == "#" for pixel in row] for row in rows])
    found = sorted(sum(end - first for _, first, end in runs) for runs in text_boxes.components(mask))
    assert found == [2, 4, 4]
    assert text_boxes.components(numpy.zeros((4, 4), bool)) == []


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_lines_are_in_the_order_of_whoever_reads_them(degrees):
    turn = math.radians(degrees)
    places = {"1": (0, 0), "2": (100, 3), "3": (0, 40), "4": (0, 80)}
    lines = [
        Line(
            word,
            (1.0,),
            TextBox(
                x * math.cos(turn) - y * math.sin(turn),
                x * math.sin(turn) + y * math.cos(turn),
                *(80, 20, turn, 1.0),
            ),
        )
        for word, (x, y) in places.items()
    ]
    random.Random(3).shuffle(lines)
    assert [each.text for each in text_lines.in_order(lines)] == ["1", "2", "3", "4"]


# How it looks


def test_a_dark_and_a_blurred_photo_are_told():
    assert look.look_at(Image.new("RGB", (300, 200), (8, 8, 20))).dark
    sharp = Image.effect_noise((300, 200), 80).convert("RGB")
    assert not look.look_at(sharp).blurred
    assert look.look_at(sharp.filter(ImageFilter.GaussianBlur(8))).blurred


@pytest.mark.parametrize(
    ("pixel", "name"),
    [
        ((200, 30, 30), "red"),
        ((40, 160, 60), "green"),
        ((40, 60, 200), "blue"),
        ((110, 70, 30), "brown"),
        ((240, 220, 40), "yellow"),
        ((250, 250, 250), "white"),
        ((128, 128, 128), "grey"),
    ],
)
def test_colours_have_their_names(pixel, name):
    assert look.look_at(Image.new("RGB", (30, 20), pixel)).colours == (name,)


# The networks themselves


def test_a_network_written_here_runs():
    runtime = pytest.importorskip("onnxruntime")
    graph = Graph("x", (1, 2))
    twice = graph.node("Mul", graph.input, graph.array(numpy.array([2.0, 3.0], "f4")))
    session = runtime.InferenceSession(graph.model(graph.node("Clip", twice, graph.array(numpy.float32(0)))))
    assert session.run(None, {"x": numpy.array([[-1, 5]], "f4")})[0].tolist() == [[0.0, 15.0]]


@pytest.fixture(scope="module")
def recogniser() -> program.Recogniser:
    """All the networks that are installed."""
    pytest.importorskip("onnxruntime")
    return program.Recogniser()


def needs(recogniser: program.Recogniser, *what: str) -> None:
    if missing := set(what) - set(recogniser.reads):
        pytest.skip(f"not installed: {', '.join(missing)}")


def facts(recogniser: program.Recogniser, photo: Image.Image) -> dict[str, Any]:
    """Everything, from the photo as it is kept."""
    file, found = io.BytesIO(), dict[str, Any]()
    photo.save(file, "JPEG", quality=88)
    for fact in recogniser.facts(program.opened(file.getvalue())):
        found |= fact
    return found


def sign(words: str, font: Any = None) -> Image.Image:
    image = Image.new("RGB", (1000, 600), "white")
    ImageDraw.Draw(image).text((80, 150), words, fill="#222", font=font or ImageFont.load_default(90))
    return image


def behind() -> Image.Image:
    """What stands behind things in photos: light and dark, out of focus, and leaves."""
    light = Image.linear_gradient("L").resize(SIZE).convert("RGB").point(lambda value: 110 + value // 2)
    ground = ImageChops.multiply(Image.effect_noise(SIZE, 60).convert("RGB"), light)
    leaves, dice = ImageDraw.Draw(ground), random.Random(1)
    for number in range(60):
        x, y = dice.randrange(1200), dice.randrange(900)
        leaves.ellipse((x, y, x + 80, y + 50), fill=("#3a6b35", "#8a8f88", "#5d4e37")[number % 3])
    return ground.filter(ImageFilter.GaussianBlur(4))


def photographed(words: str) -> Image.Image:
    """A sign in a scene: seen from the side, tilted, a little out of focus, grainy."""
    image, board = behind(), Image.new("RGBA", (800, 320), "#1d4e2f")
    font = ImageFont.load_default(84)
    ImageDraw.Draw(board).multiline_text((400, 160), words, "#f5f2e8", font, "mm", spacing=18, align="center")
    side = (-30, -20, -10, 340, 830, 300, 800, 10)
    board = board.transform(board.size, Image.Transform.QUAD, side, Image.Resampling.BICUBIC)
    board = board.rotate(6, Image.Resampling.BICUBIC, expand=True)
    image.paste(board, ((SIZE[0] - board.width) // 2, (SIZE[1] - board.height) // 2), board)
    grain = Image.effect_noise(SIZE, 28).convert("RGB")
    return Image.blend(image.filter(ImageFilter.GaussianBlur(1.2)), grain, 0.12)


WORDS = "EXIT ONLY\nPlatform 9"


@pytest.mark.slow
@pytest.mark.parametrize("degrees", [0, 7, 90, 180, 270])
def test_a_sign_is_read_however_it_is_held(recogniser, degrees):
    needs(recogniser, "text")
    held = sign(WORDS).rotate(degrees, expand=True, fillcolor="#8a8f88")
    assert facts(recogniser, held)["lines"] == ("EXIT ONLY", "Platform 9")


@pytest.mark.slow
def test_a_photographed_sign_is_read(recogniser):
    needs(recogniser, "text")
    assert facts(recogniser, photographed(WORDS))["lines"] == ("EXIT ONLY", "Platform 9")


@pytest.mark.slow
@pytest.mark.parametrize("photo", [sign(""), behind(), Image.effect_noise(SIZE, 90).convert("RGB")])
def test_no_text_is_read_where_there_is_none(recogniser, photo):
    needs(recogniser, "text")
    found = facts(recogniser, photo)
    assert (found["lines"], found["unread"]) == ((), False)


@pytest.mark.slow
def test_every_line_of_a_page_is_read_in_order(recogniser):
    needs(recogniser, "text")
    page = Image.new("RGB", (1000, 1600), "white")
    for number in range(50):
        words = f"{number + 1}. coffee river market garden silver window"
        ImageDraw.Draw(page).text((60, 40 + 30 * number), words, "black", ImageFont.load_default(22))
    numbers = [row.split(".")[0] for row in facts(recogniser, page)["lines"]]
    assert numbers == [str(number + 1) for number in range(50)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        "СТОП",
        "Осторожно, двери\nзакрываются",
        "ΕΞΟΔΟΣ",
        "АПТЕКА",
        "ОТКРЫТО",
        "Аэропорт / Airport\nВыход 5 / Gate 5",
        "Αεροδρόμιο Airport",
        "ممنوع الدخول",
        "כניסה אסורה",
    ],
)
def test_a_script_that_is_not_known_is_not_read_as_another(recogniser, words):
    needs(recogniser, "text")
    try:
        font = ImageFont.truetype("DejaVuSans.ttf", 90)
    except OSError:
        pytest.skip("the font DejaVu Sans is not installed")
    found = facts(recogniser, sign(words, font))
    assert found["lines"] == ()
    assert found["unread"] or found["either"]


def shape(*corners: tuple[int, int], fill: str = "red") -> Image.Image:
    image = Image.new("RGB", (640, 480), "white")
    if corners:
        ImageDraw.Draw(image).polygon(corners, fill=fill)
    return image


def disc() -> Image.Image:
    image = shape()
    ImageDraw.Draw(image).ellipse((200, 120, 440, 360), fill="red")
    return image


SHAPES = {
    "disc": disc(),
    "triangle": shape((320, 80), (120, 400), (520, 400), fill="green"),
    "steps": shape((100, 400), (100, 300), (200, 300), (200, 200), (300, 200), (300, 400), fill="navy"),
    "empty": shape(),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SHAPES)
def test_a_plain_shape_is_no_thing_for_certain(recogniser, name):
    needs(recogniser, "things")
    assert not [thing for thing in facts(recogniser, SHAPES[name])["things"] if thing["sure"]]


@pytest.mark.parametrize("name", SHAPES)
def test_a_drawing_is_told_from_a_photo(name):
    assert look.is_drawn(SHAPES[name])
    assert look.is_drawn(Image.new("RGB", (1, 900)))
    assert not look.is_drawn(behind())
    assert not look.is_drawn(Image.linear_gradient("L").convert("RGB"))


@pytest.mark.slow
def test_the_lines_of_a_strip_are_found(recogniser):
    needs(recogniser, "text")
    strip = Image.new("RGB", (268, 1600), "white")
    for number in range(30):
        words = f"{number + 1}. coffee river market garden"
        ImageDraw.Draw(strip).text((8, 8 + 50 * number), words, "black", ImageFont.load_default(12))
    rows = facts(recogniser, strip)["lines"]
    assert [row.split(".")[0] for row in rows] == [str(number + 1) for number in range(30)]


@pytest.mark.slow
def test_a_scene_without_things_is_no_thing(recogniser):
    needs(recogniser, "things")
    found = facts(recogniser, behind())
    assert not [thing for thing in found["things"] if thing["sure"]]


def test_a_qr_code_is_text():
    zxing = pytest.importorskip("zxingcpp")
    find = codes.finder()
    assert find is not None
    made = zxing.create_barcode("https://example.org/?a=1", zxing.BarcodeFormat.QRCode)
    picture = Image.fromarray(numpy.array(zxing.write_barcode_to_image(made, scale=8))).convert("RGB")
    assert [code.text for code in find(picture)] == ["https://example.org/?a=1"]
    assert find(Image.new("RGB", (300, 300), "white")) == []
