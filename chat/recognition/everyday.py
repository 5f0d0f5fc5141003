"""Everyday words for ImageNet's 1,000 classes, and the kinds of these words.

The probabilities of all classes of a word are added, so a terrier of an uncertain breed is certainly a dog; those of
all words of a kind are added, so an uncertain dish is certainly food. Class numbers are those of ILSVRC 2012. Classes
that are not listed are too specific, or have too many false positives.
"""

from typing import Any, NamedTuple

TABLE = """
animal: dog 151-268; cat 281-285; bird 7-24,80-100,127-146; fish 0-6,389-397; snake 52-68; lizard 38-48; turtle 33-37
animal: frog 30-32; crocodile 49-50; salamander 25-29; spider 70,72-77; insect 300-320; butterfly 321-326
animal: crab 118-121,125; lobster 122-124; snail 113; jellyfish 107; starfish 327; whale 147-148; sea lion 149-150
animal: wolf 269-272; fox 277-280; wild dog 273-276; lion 291; tiger 292; leopard 288-290; cheetah 293
animal: wild cat 286-287; bear 294-297; rabbit 330-332; hamster 333; guinea pig 338; squirrel 335; beaver 336-337
animal: hedgehog 102,334; horse 339; zebra 340; pig 341-343; hippopotamus 344; cow 345-347; sheep 348-349; goat 350
animal: antelope 351-353; camel 354; llama 355; weasel 356-362; ape 365-368; monkey 369-384; elephant 101,385-386
animal: panda 387-388; kangaroo 104; koala 105; coral 108-109,973
vehicle: car 436,468,511,609,627,656,661,751,817; bus 654,779,874; train 466,547,565,705,820,829; bicycle 444,671
vehicle: truck 555,569,717,864,867,675; van 407,734,757; motorcycle 665,670; airplane 404,895,908; tractor 595,856,866
vehicle: boat 449,472,484,554,576,625,780,814,871,914; ship 403,510,628,724; tank 847; snow vehicle 802-803
vehicle: tricycle 870; submarine 833; space shuttle 812; airship 405,417; cart 428,603,612,690; golf cart 573,575
food: pizza 963; dessert 927-929,960; burger 933; hot dog 934; bread 415,930-932; salad 937; fruit 948-957
food: vegetables 936,938-946; soup 809,925-926; pasta 959; pie 964; burrito 965; dish 923-924,935,962
food: mushroom 947,991-997; corn 987,998
drink: cup 504,968; coffee 505,550,967; wine 907,966; glass 441,572; eggnog 969; bottle 440,720,737,898,907
furniture: chair 423,559,765,857; bench 703; couch 831; bed 431,516,520,564,750,721; table 526,532
furniture: bookcase 453-454,624; cabinet 493-495,548,553,648,894; lamp 619,846; desk 526; chest 492
building: building 410,425,437,442,483,497-498,500,538,580,663,660,668,698,727,743,832,853,858,900,915
building: bridge 821,839,888; stone wall 825; fence 489,716,912; fountain 562; monument 649,682,863,873
building: restaurant 762; shop 424,467,509,582,788,860,865
landscape: mountain 970; valley 979; lake 975; beach 977-978; coast 460,976; cliff 972; volcano 980; geyser 974
landscape: pier 536,718
clothing: shoe 502,514,630,770,774; hat 439,452,515,808; suit 834; tie 457,906; jeans 608; dress 578,601,689,982
clothing: shirt 610; coat 568,617,869; sweater 474,841; sunglasses 836-837; bag 414,636,748; backpack 414
clothing: swimsuit 445,638-639,842; sock 496,806; glove 658; kimono 614; robe 399-400; skirt 655,775; uniform 652
clothing: helmet 518,560; mask 570,643,796
plant: flower 984-986; potted plant 738; acorn 988-990; hay 958
device: phone 487,590,528,707; laptop 620,681; keyboard 508,810,878; monitor 664,782; computer 527; mouse 673
device: remote control 761; television 851; camera 732,759; clock 409,530,604,826,892; watch 531
device: radio 632,754,848,482; printer 713,742; fan 545; microphone 650; microwave 651; refrigerator 760
device: oven 766,827,859,544; washing machine 534,897; vacuum cleaner 882; hair dryer 589; iron 606
device: sewing machine 786; scale 778; cash machine 480; vending machine 886; parking meter 704
bathroom thing: toilet 861; bathtub 435,876; sink 896; shower curtain 794; soap 804; toilet paper 999; towel 434
sign: sign 919; traffic light 920; plaque 458; scoreboard 781
thing to read: book 921; menu 922; comic book 917; crossword 918; envelope 549; web page 916
musical instrument: guitar 402,420,546; piano 579,881; violin 486,889; drum 541; accordion 401; saxophone 776
musical instrument: flute 558,683,699; trumpet 513,566,875; harp 594; organ 687; harmonica 593
sports thing: ball 429,430,522,574,722,768,805,852,890; racket 752; ski 795; weights 422,543; pool table 736
sports thing: parachute 701
tool: hammer 587; screwdriver 784; drill 740; shovel 792; saw 491; ax 596; knife 499,623; ladle 618,910; pan 567,909
tool: scissors 473; bucket 463; broom 462,840; mower 621; pen 418,563; ruler 769; lock 507,695; ladder 421
tool: box 478,519; basket 588,790
umbrella: umbrella 879
toy: teddy bear 850; jigsaw puzzle 611; swing 843; carousel 476
kitchen thing: bowl 659; pot 469,521,849; pitcher 725,899; vase 883; tray 868; candle 470; bottle opener 512
kitchen thing: plastic bag 728
street thing: mailbox 637; trash can 412; flagpole 557; manhole cover 640; shopping cart 791; street lamp 818
street thing: pole 733
"""
"""Each line: a kind, then its words with their classes."""


class Guess(NamedTuple):
    """A word, its kind, and the sum of their classes' probabilities (`share`, 0 to 1); `word` is "" for a whole
    kind."""

    word: str
    kind: str
    share: float


def classes(text: str) -> frozenset[int]:
    """Parse `7-24,80` into numbers."""
    spans = (span.partition("-") for span in text.split(","))
    return frozenset(number for first, _, last in spans for number in range(int(first), int(last or first) + 1))


def read_table() -> dict[tuple[str, str], frozenset[int]]:
    """Parse TABLE into (word, kind) → classes."""
    words = {}
    for line in TABLE.strip().splitlines():
        kind, _, rest = line.partition(": ")
        for entry in rest.split("; "):
            word, _, numbers = entry.rpartition(" ")
            words[word, kind] = classes(numbers)
    return words


WORDS = read_table()


def guesses(shares: Any) -> list[Guess]:
    """Return all words, then all kinds, each by descending probability, for the probabilities of the 1,000 classes."""
    words = [Guess(word, kind, float(sum(shares[each] for each in found))) for (word, kind), found in WORDS.items()]
    members: dict[str, set[int]] = {}
    for (_, kind), found in WORDS.items():
        members.setdefault(kind, set()).update(found)
    kinds = [Guess("", kind, float(sum(shares[each] for each in found))) for kind, found in members.items()]
    return sorted(words, key=lambda guess: -guess.share) + sorted(kinds, key=lambda guess: -guess.share)
