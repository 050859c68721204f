"""Chaos: the real stack behind proxies that spoil its requests, with a killer among its processes.

    rules      which fault a request gets          proxy      HTTP with faults         pipe     TCP that can go silent
    plan       who is struck when, by seed         killer     carries the plan out     stack    the deployment
    workload   bags, posted as clients do          history    what clients saw         calm     waiting for quiescence
    verdict    the invariants, on the real stores  report     what is told at the end

`python -m chaos --seconds 60 --broker pgmq --seed 1`, or `make chaos`.
"""
