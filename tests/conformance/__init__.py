"""What a resumable stream of a model's answer should do, as checks that run against any server:

    python -m tests.conformance http://127.0.0.1:18000
    python -m tests.conformance http://127.0.0.1:4437 --adapter durable_streams --json

A check is a function of `checks/`; the first sentence of its docstring is what it checks. An adapter, a file of
`adapters/` or any other given by its path, says how one kind of server begins an answer, how it is read, resumed and
stopped, and which of the checks that server promises to pass, with the place where it says so. Every check runs
whether promised or not; the exit code is 1 if one that is promised fails.

In the order in which to read them:

    adapter.py     what an adapter is: `Ask`, `Call`, `Received`, `Adapter`
    reading.py     one response as it comes
    trial.py       what a check is given, and how it says what it found
    run.py         all checks against one server: `Result`
    table.py       results for people, as JSON, and beside each other
    others.py      the servers of other projects that `make conformance` starts and holds to what they promise
    sample.py      a small server that passes, and that can be told to fail: what the checks themselves are tried with
    conftest.py test_checks.py test_wondercam.py    the checks against the sample and against this project's server

`docs/conformance.md` has the checks, how to write an adapter, and what they found.
"""
