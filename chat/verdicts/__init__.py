"""Verdicts of reviewers on answers.

queue.py      the answers that wait for a verdict, by kind
agreement.py  the agreement of reviewers: Krippendorff's alpha
pairs.py      blind comparisons of two answers to one request
scores.py     verdicts as Langfuse's scores, and as CSV
"""
