"""What can be recognised in one photo without a model that sees: a program of its own, apart from the server.

    __main__.py      photos in at stdin, facts out at stdout; loads the networks that are installed
    scene.py         things, from the two below
    everyday.py      the words for them
    efficientnet.py  classes of the whole picture
    centernet.py     boxes of single things
    text.py          lines of text that are believed
    text_boxes.py    where lines stand
    text_lines.py    what they say, and their order
    look_alikes.py   letters that may be of another script
    codes.py         QR and bar codes
    look.py          dark, blurred, and which colours
    memory.py        given back to the system between photos
    onnx_format.py   networks of other formats, written for onnxruntime
    networks.py      where the networks' files are

A process, not a thread: it can be stopped at any moment, its memory is bounded and goes back when it ends, and whatever
a photo does to a decoder it does there. It imports nothing else of ours and gets nothing of ours in its environment.
"""
