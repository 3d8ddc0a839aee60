internal import Storage

/// What can be wrong with a plan, or with what it is asked for.
enum PlanCode: String, LayerCode {
    static let layer = "plan"

    case cannotBoot = "cannot-boot"
    case baseOfAnother = "base-of-another"
    case contradictingRepairs = "contradicting-repairs"
    case changedSince = "changed-since"
    case noCardAddress = "no-card-address"
    case noDiskName = "no-disk-name"
    case noSuchDisk = "no-such-disk"
    case notIdempotent = "not-idempotent"
    case targetFormatNotBuilt = "target-format-not-built"
    case twoCardAddresses = "two-card-addresses"
    case twoDisks = "two-disks"
    case unknownController = "unknown-controller"
    case unknownDrivers = "unknown-drivers"
    case unknownEFIFallback = "unknown-efi-fallback"
    case disksOfAnotherLanguage = "disks-of-another-language"
    case languageOfAnotherTarget = "language-of-another-target"
    case unknownHypervisor = "unknown-hypervisor"
    case unknownMachineLanguage = "unknown-machine-language"
    case unknownNaming = "unknown-naming"
    case unknownRepair = "unknown-repair"
    case unknownTarget = "unknown-target"
}
