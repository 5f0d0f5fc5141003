"""Recognition in photos: certain names and real text, without false positives."""

import math
import random

import numpy
import pytest
from PIL import Image, ImageFilter

from chat.recognition import __main__ as program
from chat.recognition import centernet, everyday, look, scene, text, text_boxes, text_lines
from chat.recognition.centernet import Box
from chat.recognition.everyday import Guess
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
