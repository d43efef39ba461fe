"""The practice line (情境模拟): a simulated debtor on a real SIP and RTP line of loopback, in a process of its
own.

``client.PracticeLine`` starts it; ``python -m telephony.practice --config -`` is it.
"""
