"""The Merkle tree against RFC 6962's own definition, written out here once more."""

from __future__ import annotations

import hashlib

import pytest

from lifecycle.evidence.merkle import Frontier, proofs, root_from_proof
from lifecycle.evidence.verify_evidence import root_from_proof as root_of_the_verifier

LEAVES = [hashlib.sha256(str(number).encode()).digest() for number in range(70)]


def root_by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    halves = root_by_definition(leaves[:k]) + root_by_definition(leaves[k:])
    return hashlib.sha256(b"\x01" + halves).digest()


def grown(leaves: list[bytes]) -> Frontier:
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier


@pytest.mark.parametrize("size", range(0, 70))
def test_root_is_the_one_defined(size):
    assert grown(LEAVES[:size]).root() == root_by_definition(LEAVES[:size])


@pytest.mark.parametrize("size", [1, 2, 7, 8, 33])
def test_a_tree_grows_on_from_its_frontier(size):
    first = grown(LEAVES[:size])
    again = Frontier.from_hex(size, first.as_hex())
    for leaf in LEAVES[size:]:
        again.append(leaf)
    assert again.root() == root_by_definition(LEAVES)
    assert len(again.roots) <= 7


@pytest.mark.parametrize("size", [1, 2, 3, 6, 7, 8, 9, 31, 64, 70])
def test_every_leaf_is_proved(size):
    root = root_by_definition(LEAVES[:size])
    made = proofs(iter(LEAVES[:size]), size, range(size))
    for index in range(size):
        for prove in (root_from_proof, root_of_the_verifier):
            assert prove(LEAVES[index], index, size, made[index]) == root
            assert prove(LEAVES[index - 1], index, size, made[index]) != root or size == 1
            assert prove(LEAVES[index], index, size, [*made[index], root]) is None
