"""The decision log: what was decided, by which rules and of which input, so that it can be proved.

It is a file of JSON Lines to which records are only added. `append` decides and records, `verify`
names the first record that is not as it was written, `replay` decides each record again.
"""

from policy_engine.log.append import Appended, Recovered, append, append_all
from policy_engine.log.checkpoint import Checkpoint, read_checkpoint
from policy_engine.log.diagnose import Fault
from policy_engine.log.proofs import extension_proof, inclusion_proof, is_extension, is_included
from policy_engine.log.records import Record, records
from policy_engine.log.replay import Difference, Replayed, replay
from policy_engine.log.verify import Compared, Verdict, verify

__all__ = [
    "Appended",
    "Checkpoint",
    "Compared",
    "Difference",
    "Fault",
    "Record",
    "Recovered",
    "Replayed",
    "Verdict",
    "append",
    "append_all",
    "extension_proof",
    "inclusion_proof",
    "is_extension",
    "is_included",
    "read_checkpoint",
    "records",
    "replay",
    "verify",
]
