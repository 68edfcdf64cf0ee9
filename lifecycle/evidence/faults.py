"""What can be wrong with the log or its checkpoints, in words."""

from __future__ import annotations

from lifecycle.errors.words import Words

FAULTS: dict[str, Words] = {
    "entry-missing": Words(
        "前面的记录被删除，或顺序被改动。", "Entries before it were removed, or moved."
    ),
    "chain-broken": Words("它与前一条接不上。", "It does not follow the entry before."),
    "body-changed": Words("它的内容被改动。", "Its text was changed."),
    "columns-changed": Words(
        "它的某一列与内容不一致。", "One of its columns is not what its text says."
    ),
    "private-value-changed": Words(
        "链外保存的内容被改动。", "What stands beside the chain was changed."
    ),
    "private-value-missing": Words(
        "链外保存的内容不见了，而日志中没有相应的删除记录。",
        "What stood beside the chain is gone, and no erasure in the log accounts for it.",
    ),
    "entry-planted": Words(
        "日志里多出了没有编号或编号重复的记录。",
        "There are entries besides those with a number of their own.",
    ),
    "table-replaced": Words(
        "日志的数据表已被换掉或改过结构，不再是系统建立的那一张。",
        "The table of the log was replaced, or made another than the portal's.",
    ),
    "tail-missing": Words("从这里起的记录被删除。", "The entries from here on were removed."),
    "checkpoint-missing": Words(
        "它曾经导出，但已不在数据库中。", "It was exported, and the database has it no more."
    ),
    "checkpoint-differs": Words("它与导出的副本不同。", "It is not the one that was exported."),
    "checkpoint-lost": Words(
        "本服务器签过它，但它已不在数据库中。",
        "This server signed it, and the database has it no more.",
    ),
    "checkpoint-replaced": Words(
        "它与本服务器签过的不同。", "It is not the one that this server signed."
    ),
    "memory-unreadable": Words(
        "签名密钥旁的记录文件无法读取，因此没有签名。",
        "The file beside the signing key cannot be read, so nothing was signed.",
    ),
    "outside-unreadable": Words(
        "检查点的导出目录（LOG_CHECKPOINT_DIR）不存在或无法读取，因此没有核验。",
        "The folder of exported checkpoints (LOG_CHECKPOINT_DIR) is away or cannot be read, so"
        " nothing was checked.",
    ),
    "checkpoint-unknown-key": Words(
        "它由未登记的密钥签名。", "It is signed with a key nobody has named."
    ),
    "checkpoint-signature": Words("它的签名不对。", "Its signature is not right."),
    "checkpoint-changed": Words(
        "它的某一列与签名内容不一致。", "Its columns are not what was signed."
    ),
    "checkpoint-order": Words("它前面的检查点缺失。", "The one before it is missing."),
    "checkpoint-head": Words(
        "在它之前的记录被整体改写。", "The entries before it have been rewritten."
    ),
    "checkpoint-root": Words(
        "它的 Merkle 根与记录不符。", "Its Merkle root is not that of the entries."
    ),
}
