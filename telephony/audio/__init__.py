"""Headsets: sound devices, files, or nothing; tones. Only ``portaudio`` imports ``sounddevice``, late, and only in
processes of its own.
"""
