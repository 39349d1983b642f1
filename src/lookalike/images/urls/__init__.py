"""Pictures from the web, for whoever has allowed it; nothing else of lookalike opens a connection.

address.py     a URL    -> its one form, in which it is kept, sent and shown
clock.py       what one URL may cost, and the time that it has left
connection.py  an address -> bytes of its server, every wait on the clock and every byte counted
traffic.py     what all workers share: turns, connections, and the bytes that wait
get.py         one URL  -> the bytes of its picture, through redirects
fetch.py       many, in their order
"""
