"""Proofs of RFC 6962 for who keeps checkpoints and not the log: a record is in it; it only grew."""

from __future__ import annotations

from collections.abc import Sequence

from policy_engine.log.merkle import HASH_BYTES, frontier, node_hash

Hashes = Sequence[bytes]


def inclusion_proof(leaves: Hashes, index: int) -> list[bytes]:
    """The hashes that lead from a leaf, by its index from 0, to the root, lowest first."""
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*inclusion_proof(leaves[:split], index), frontier(leaves[split:]).root]
    return [*inclusion_proof(leaves[split:], index - split), frontier(leaves[:split]).root]


def is_included(leaf: bytes, index: int, size: int, root: bytes, proof: Hashes) -> bool:
    """Whether a proof shows that the leaf at an index is in the tree of that size and root."""
    if not 0 <= index < size or len(leaf) != HASH_BYTES:
        return False
    at, last, found = index, size - 1, leaf
    for part in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(part, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, part)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def extension_proof(leaves: Hashes, old: int) -> list[bytes]:
    """The hashes that show that the tree of all leaves extends that of the first `old` (>= 1)."""
    return _extension(leaves, old, True)


def _extension(leaves: Hashes, old: int, whole: bool) -> list[bytes]:
    """`whole`: the old tree is this subtree's own left part, and its root is known."""
    if old == len(leaves):
        return [] if whole else [frontier(leaves).root]
    split = _split(len(leaves))
    if old <= split:
        return [*_extension(leaves[:split], old, whole), frontier(leaves[split:]).root]
    return [*_extension(leaves[split:], old - split, False), frontier(leaves[:split]).root]


def is_extension(
    old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Hashes
) -> bool:
    """Whether a proof shows that the new tree begins with the old one, which has a leaf or more."""
    if not 1 <= old_size <= new_size:
        return False
    if old_size == new_size:
        return old_root == new_root and not proof
    parts = [old_root, *proof] if old_size.bit_count() == 1 else list(proof)
    return bool(parts) and _both(parts, old_size - 1, new_size - 1) == (old_root, new_root)


def _both(parts: Hashes, at: int, last: int) -> tuple[bytes, bytes] | None:
    """The roots that a proof gives: of the old tree, whose last leaf is `at`, and of the new."""
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = parts[0]
    for part in parts[1:]:
        if last == 0:
            return None
        if at & 1 or at == last:
            old, new = node_hash(part, old), node_hash(part, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, part)
        at, last = at >> 1, last >> 1
    return (old, new) if last == 0 else None


def _split(size: int) -> int:
    """The largest power of two below a size: how many leaves stand on the left."""
    return int(1 << (size - 1).bit_length() - 1)
