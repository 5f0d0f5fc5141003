"""The networks that recognise things and text in photos: drawn signs, pages and shapes."""

import io
import random
from typing import Any

import numpy
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from chat.recognition import __main__ as program
from chat.recognition import codes, look
from chat.recognition.onnx_format import Graph

pytestmark = pytest.mark.slow

SIZE = (1280, 960)


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


def numbers_read(
    recogniser: program.Recogniser, page: Image.Image, count: int, words: str, at: tuple[int, int], step: int, size: int
) -> list[int]:
    """The numbers of the lines that are read from a page on which so many lines are written, each with its number."""
    left, top = at
    for number in range(count):
        place = (left, top + step * number)
        ImageDraw.Draw(page).text(place, f"{number}. {words}", "black", ImageFont.load_default(size))
    return [int(row.split(".")[0]) for row in facts(recogniser, page)["lines"]]


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
    assert numbers_read(recogniser, page, 50, "coffee river market garden silver window", (60, 40), 30, 22) == [
        *range(50)
    ]


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
    assert numbers_read(recogniser, strip, 30, "coffee river market garden", (8, 8), 50, 12) == [*range(30)]


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
