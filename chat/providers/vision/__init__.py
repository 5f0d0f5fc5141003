"""Photos for models that cannot see them: what this server recognises, as facts for the model and sentences for users.

sight.py      a prompt with photos -> the answer's beginning, and a prompt with facts instead of the photos
worker.py     the process that recognises (`chat/recognition/`): one photo at a time, ended when idle
seen.py       the facts of one photo
sentences.py  facts -> sentences, by rules, so that no model invents anything
wording.py    translations of these sentences
questions.py  what a question asks about a photo, by its words
"""
