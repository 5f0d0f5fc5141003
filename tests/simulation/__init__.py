"""The log, the turns and their readers on simulated time, network and disk: a seed is a whole history, to the byte.

    machine.py      the standard library's time, chance and process ids, answered by a world; installed before imports
    event_loop.py   an event loop, and its threads, as single steps
    disk.py         the way to the SQLite file: cut, failing, or failing after the commit
    network.py      the notifier's channel layer: messages lost, doubled, late
    model.py        a provider whose answers are known beforehand
    worker.py       one process: the real `Log` and the real `Turns`
    promptness.py   what must happen soon where nothing prevents it
    people.py       clients: they ask, queue, stop, and ask again when they get no answer
    readers.py      of streams and of feeds
    faults.py       kills, frozen processes, slow threads, cuts, locks, clocks that jump; each history has its own mix
    ledger.py       what must hold after every commit
    invariants.py   the same in memory, after every step
    world.py        the order of all steps, by a seed; and that all ends once the faults are over
    histories.py    one history after the other; `__main__.py`: the command
    test_simulation.py   a small part of it for `make test`
    mutations.py    faults put into the code on purpose, each of which must be found

    make simulate                    a million ticks
    make simulate SEED=7 EACH=8000   that history again, with its trace in build/simulation/trace.txt
    make simulate MUTATIONS=1        the mutations

Why so: `docs/decisions/0019-the-core-is-simulated.md`.
"""
