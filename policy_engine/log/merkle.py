"""The Merkle tree of RFC 6962: hashes, and the frontier that grows leaf by leaf."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from hashlib import sha256

EMPTY_ROOT = sha256().digest()
HASH_BYTES = len(EMPTY_ROOT)


def leaf_hash(content: bytes) -> bytes:
    """The hash of a leaf: SHA-256 over a byte 0 and the content."""
    return sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node: SHA-256 over a byte 1 and the hashes below it."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that a tree must keep to grow: the roots of its complete subtrees, largest first.

    There is one for each bit of `size`.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def with_leaf(self, leaf: bytes) -> Frontier:
        """The frontier of the tree with one leaf more; `leaf` is its hash."""
        peaks, complete = [*self.peaks, leaf], self.size
        while complete & 1:
            right = peaks.pop()
            peaks[-1] = node_hash(peaks[-1], right)
            complete >>= 1
        return Frontier(self.size + 1, tuple(peaks))

    @property
    def root(self) -> bytes:
        """The root of the tree."""
        if not self.peaks:
            return EMPTY_ROOT
        return reduce(lambda right, left: node_hash(left, right), reversed(self.peaks))


EMPTY = Frontier()


def frontier(leaves: Iterable[bytes]) -> Frontier:
    """The frontier of a tree of leaf hashes."""
    return reduce(Frontier.with_leaf, leaves, EMPTY)
