"""A second stand-in for Feishu, written from Feishu's pages alone.

It shares no line with the portal or its sandbox, so a page that was read wrongly there is
read a second time here. It judges the JSON types, the ids, the refusals and the paging of
each request as strictly as the pages allow, and remembers everything it was asked.
"""
