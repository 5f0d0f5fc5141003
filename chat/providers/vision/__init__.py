"""Photos for models that cannot see: what is recognised in them, as facts and in sentences.

sight.py      a prompt with photos -> the answer's beginning and a prompt with facts in their place
worker.py     the process that recognises (`chat/recognition/`): kept warm, one photo at a time, ended when idle
seen.py       the facts of one photo
sentences.py  facts -> sentences, by rules: no model writes them, so that nothing in them is made up
wording.py    the words of these sentences in the reader's language
"""
