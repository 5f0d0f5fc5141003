"""The review of answers.

queue.py      which answers wait for a verdict, by why one would look at them
agreement.py  how far reviewers agree: Krippendorff's alpha
pairs.py      two answers to one request, judged without their names
scores.py     verdicts as Langfuse's scores, and as a table
"""
