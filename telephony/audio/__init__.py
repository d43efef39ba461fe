"""Headsets: the sound card, files, or nothing. Only ``card`` and ``portaudio`` import ``sounddevice``, and
late.
"""
