internal import Storage

/// What is said of a disk's layout, which is never a reason to stop reading: tables, volume groups, arrays, volumes.
package enum LayoutCode: String, LayerCode {
    package static var layer: String { "partitions" }

    // A GPT: its two copies, and the MBR before it.
    case gptBackupAddress = "gpt-backup-address"
    case gptBackupDamaged = "gpt-backup-damaged"
    case gptBackupDisplaced = "gpt-backup-displaced"
    case gptBackupMissing = "gpt-backup-missing"
    case gptCopiesDiffer = "gpt-copies-differ"
    case gptEntryBackwards = "gpt-entry-backwards"
    case gptHybridMBR = "gpt-hybrid-mbr"
    case gptLeftOver = "gpt-left-over"
    case gptLost = "gpt-lost"
    case gptNoProtectiveMBR = "gpt-no-protective-mbr"
    case gptPartitionLimit = "gpt-partition-limit"
    case gptPrimaryAddress = "gpt-primary-address"
    case gptPrimaryDamaged = "gpt-primary-damaged"
    case gptUsablePastEnd = "gpt-usable-past-end"
    // An MBR, the chain of its logical partitions, and labels inside of it.
    case bsdLabel = "bsd-label"
    case foreignLabel = "foreign-label"
    case logicalLimit = "logical-limit"
    case logicalLoop = "logical-loop"
    case logicalNoRecord = "logical-no-record"
    case logicalPastEnd = "logical-past-end"
    case mbrOtherSectorSize = "mbr-other-sector-size"
    // Partitions of either table.
    case partitionPastEnd = "partition-past-end"
    case partitionsOverlap = "partitions-overlap"
    // LVM2: physical volumes, their metadata areas, and groups.
    case mdaHeader = "mda-header"
    case mdaParse = "mda-parse"
    case mdaText = "mda-text"
    case pvCopy = "pv-copy"
    case pvMarkedMissing = "pv-marked-missing"
    case pvMissing = "pv-missing"
    case pvWithoutGroup = "pv-without-group"
    case vgExported = "vg-exported"
    case vgForeign = "vg-foreign"
    case vgSameName = "vg-same-name"
    case vgShared = "vg-shared"
    // Arrays of MD.
    case arrayDegraded = "array-degraded"
    case arrayStaleMember = "array-stale-member"
    case arrayMemberCopy = "array-member-copy"
    // Volumes, whatever they are on.
    case ambiguousVolume = "ambiguous-volume"
    case volumeUnreadable = "volume-unreadable"
}
