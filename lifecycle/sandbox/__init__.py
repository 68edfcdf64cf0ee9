"""A local Feishu tenant over real HTTP, for the demo and the tests.

Pure standard library: it shares no code with the client, so a mistake in one cannot hide in the other.
"""
