"""Recognises things, text and codes in photos with small neural networks. It is a program, run in its own process.

    __main__.py      reads photos from stdin and writes facts to stdout; loads the installed networks
    scene.py         things, from the two networks below
    everyday.py      everyday words for the classes
    efficientnet.py  classification of the whole picture
    centernet.py     detection of things, with boxes
    text.py          the lines of text that are reliable
    text_boxes.py    detection of lines
    text_lines.py    recognition of lines, and their order
    look_alikes.py   letters that Latin shares with Cyrillic
    codes.py         QR codes and bar codes
    look.py          brightness, blur and colours
    memory.py        returns free memory to the system between photos
    onnx_format.py   writes networks of other formats as ONNX
    networks.py      finds the files of the networks

It is a process, not a thread, because it can be killed at any moment, its memory is limited and freed when it ends, and
a photo that exploits a decoder harms only it. It imports no other package of WonderCam, and its environment has no
settings of WonderCam.
"""
