package import Storage

/// One thing that an entry's boot depends on. Adding one takes a file with a type, its reason in `VerdictReason`, and its
/// line in `VerdictRules.ofEntries`.
package protocol VerdictRule: Sendable {
    /// What it has to say of an entry, as the guest will be once the draft's changes are made.
    static func judge(_ entry: MenuEntry, in draft: PlanDraft) -> [VerdictFinding]
    /// It as one that judges every entry alike, which `GuestRule` answers; nil for others. Not a cast, for which the runtime
    /// would search all conformances of the program.
    static var ofGuest: (any GuestRule.Type)? { get }
}

extension VerdictRule {
    package static var ofGuest: (any GuestRule.Type)? { nil }
}

/// One thing that every entry's boot depends on alike: it is judged once, however many entries there are.
package protocol GuestRule: VerdictRule {
    /// What it has to say of every entry.
    static func judge(_ draft: PlanDraft) -> [VerdictFinding]
}

extension GuestRule {
    package static var ofGuest: (any GuestRule.Type)? { self }

    package static func judge(_ entry: MenuEntry, in draft: PlanDraft) -> [VerdictFinding] { judge(draft) }
}

/// One thing that forbids any change of a guest. Adding one is as with `VerdictRule`, in `VerdictRules.ofGuests`.
package protocol RefusalRule: Sendable {
    /// Why nothing is to be written; nil: nothing speaks against it. Throws a request to stop alone.
    static func refusal(of draft: PlanDraft, _ verdicts: [EntryVerdict]) throws(StorageError)
        -> VerdictReason?
}

/// Every rule. The first that stops an entry, or refuses a guest, gives the reason.
package enum VerdictRules {
    package static let ofEntries: [any VerdictRule.Type] = [
        MachineRule.self,
        KernelStartRule.self,
        LoaderMapRule.self,
        LoaderCommandRule.self,
        DriversRule.self,
        RootRule.self,
        RootTypeRule.self,
        ArgumentsRule.self,
        AwaitedArgumentRule.self,
        NeededRowRule.self,
        RequiredUnitRule.self,
        MissingTreeRule.self,
        LVMFilterRule.self,
        LVMDevicesRule.self,
        CopiedFilterRule.self,
        DoubledGroupRule.self,
        DamagedVolumeRule.self,
        SharedXFSRule.self,
        AwaitedTargetRule.self,
        DamagedTableRule.self,
        DegradedArrayRule.self, DividedArrayRule.self,
        MenuInUseRule.self,
    ]

    package static let ofGuests: [any RefusalRule.Type] = [
        StatementRule.self,
        SuspendedSystemRule.self,
        MachineRule.self,
        UnreadableMountRule.self,
        UnreadableFileRule.self,
        UnwritableNamesRule.self,
        OtherMeaningRule.self,
        MissingBootRule.self,
        UnknownLoaderRule.self,
        FallbackEntryRule.self,
        NeededRowRule.self,
        RequiredUnitRule.self,
        NoKernelRule.self,
        DefaultEntryRule.self,
        LastingRule.self,
    ]
}
