"""The Merkle tree of RFC 6962 over entry hashes, grown one leaf at a time.

Only the frontier is kept: the roots of the whole subtrees, largest first, at most 64 of them.
A tree that grew to n leaves can grow on without reading those leaves again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

Span = tuple[int, int]
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(slots=True)
class Frontier:
    size: int = 0
    roots: list[bytes] = field(default_factory=list)

    @classmethod
    def from_hex(cls, size: int, roots: Iterable[str]) -> Frontier:
        return cls(size, [bytes.fromhex(root) for root in roots])

    def as_hex(self) -> list[str]:
        return [root.hex() for root in self.roots]

    def append(self, leaf: bytes) -> None:
        sha256 = hashlib.sha256
        root, size, roots = sha256(b"\x00" + leaf).digest(), self.size, self.roots
        # Each whole subtree on the right becomes part of one twice as large.
        while size & 1:
            root = sha256(b"\x01" + roots.pop() + root).digest()
            size >>= 1
        roots.append(root)
        self.size += 1

    def root(self) -> bytes:
        return fold(self.roots)


def fold(roots: Sequence[bytes]) -> bytes:
    """The root above whole subtrees that stand side by side, largest first."""
    if not roots:
        return EMPTY_ROOT
    root = roots[-1]
    for left in reversed(roots[:-1]):
        root = node_hash(left, root)
    return root


# -- proofs -------------------------------------------------------------------------------


def proof_spans(index: int, size: int) -> list[Span]:
    """The subtrees whose roots prove leaf `index` of `size`, from the leaf upwards."""
    spans: list[Span] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _largest_power_below(high - low)
        if index < middle:
            spans.append((middle, high))
            high = middle
        else:
            spans.append((low, middle))
            low = middle
    return spans[::-1]


def proofs(leaves: Iterable[bytes], size: int, indexes: Iterable[int]) -> dict[int, list[bytes]]:
    """The inclusion proof of each of these leaves in the tree of the first `size` leaves.

    Reads the leaves once, in order, and keeps only what the proofs need.
    """
    spans = {index: proof_spans(index, size) for index in indexes}
    wanted = {span for path in spans.values() for span in path}
    known: dict[Span, bytes] = {}
    stack: list[tuple[Span, bytes]] = []
    for node in _nodes(leaves, stack):
        if node[0] in wanted:
            known[node[0]] = node[1]
    for low, high in wanted - known.keys():
        # Not a whole subtree: the ragged right end of the tree.
        known[low, high] = fold([root for (start, _), root in stack if start >= low])
    return {index: [known[span] for span in path] for index, path in spans.items()}


def _nodes(
    leaves: Iterable[bytes], stack: list[tuple[Span, bytes]]
) -> Iterator[tuple[Span, bytes]]:
    """Every whole subtree as it is finished; `stack` ends as the frontier."""
    for number, leaf in enumerate(leaves):
        node = ((number, number + 1), leaf_hash(leaf))
        yield node
        while stack and _width(stack[-1]) == _width(node):
            (low, _), left = stack.pop()
            node = ((low, node[0][1]), node_hash(left, node[1]))
            yield node
        stack.append(node)


def _width(node: tuple[Span, bytes]) -> int:
    return node[0][1] - node[0][0]


def root_from_proof(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root this proof leads to; None for a proof of the wrong length."""
    spans = proof_spans(index, size)
    if len(spans) != len(proof):
        return None
    root = leaf_hash(leaf)
    for (low, _), sibling in zip(spans, proof, strict=True):
        is_left = low < index
        root = node_hash(sibling, root) if is_left else node_hash(root, sibling)
    return root


def _largest_power_below(number: int) -> int:
    """The largest power of two smaller than the number."""
    return 1 << ((number - 1).bit_length() - 1)
