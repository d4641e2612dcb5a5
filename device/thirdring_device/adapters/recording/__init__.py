"""Recordings of calls: both directions in one file, left agent, right customer.

A recording is a WAV file, an Ogg file with Opus, or either of them sealed with the unit's key. It is
self-contained: the call's signalling facts stand in it, so that ``thirdring-device analyze`` gives the
verdicts that the live call gave.

    recorder.py  what the sound path hands its frames to, and the thread that writes them
    wav.py ogg.py sealed.py  the forms of the file, each readable after ``kill -9``
    facts.py     what a recording says besides its sound
    reading.py   any of the forms, open for reading
"""
