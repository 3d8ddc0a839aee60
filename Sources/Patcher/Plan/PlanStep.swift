/// One step of the making of a plan: a repair, a part of one, or a remark. Adding one takes a file with a type, and its line
/// in `PlanSteps.all`.
package protocol PlanStep: Sendable {
    /// The word under which it is wanted or left out.
    static var repair: Repair { get }
    /// The steps whose decisions it builds on, or whose edits come before its own where both change the same bytes.
    static var after: [any PlanStep.Type] { get }
    /// The syntaxes without whose files it has nothing to do; none: it looks at the guest as a whole.
    static var reads: [any ConfigurationSyntax.Type] { get }
    /// Adds its changes and its advice.
    static func contribute(to draft: inout PlanDraft)
}

extension PlanStep {
    package static var after: [any PlanStep.Type] { [] }
    package static var reads: [any ConfigurationSyntax.Type] { [] }
}

/// Every step.
package enum PlanSteps {
    /// In the order in which they are made unless `after` says otherwise, which is the order of advice.
    package static let all: [any PlanStep.Type] = [
        DeviceNames.self,
        FutureMenuNames.self,
        DefaultCanStart.self,
        DefaultReturnsToXen.self,
        DefaultIsFallback.self,
        RescueDefault.self,
        DefaultKernelPackage.self,
        KernelConsoles.self,
        InittabConsoles.self,
        SecurettyConsoles.self,
        UpstartConsoles.self,
        SerialGettys.self,
        HypervisorOptions.self,
        EmulatedDisks.self,
        DeadRows.self,
        DeadMappings.self,
        AwaitedVolumes.self,
        LVMFilters.self,
        LVMDeviceRows.self,
        ModprobeAliases.self,
        InitrdModules.self,
        InitramfsFeatures.self,
        ArrayDevices.self,
        NumberedDevices.self,
        SwapUnits.self,
        DiskTools.self,
        NamedDeviceRemarks.self,
        NamingArguments.self,
        DisabledTools.self,
        ToolRemarks.self,
        ClockOptions.self,
        WallClock.self,
        CloudSources.self,
        CardDrivers.self,
        OpticalRules.self,
        CardNames.self,
        CardAddressRows.self,
        FallbackLoader.self,
        LoaderCommands.self,
        UnreadDefault.self,
        OpticalDrives.self,
        DisplayDriver.self,
        DebconfDisk.self,
        LiloMap.self,
        InitramfsCopies.self,
        CardChoice.self,
        OverlayInMenus.self,
        OverlayInNextMenu.self,
        NextInitramfs.self,
        RoomForNext.self,
        InitramfsDrivers.self,
        InitramfsSettings.self,
    ]

    /// The steps in the order in which they are made: each behind all that it comes after, else as listed.
    package static let ordered: [any PlanStep.Type] = {
        var done: [any PlanStep.Type] = []
        var visited: Set<ObjectIdentifier> = []
        func visit(_ step: any PlanStep.Type) {
            guard visited.insert(ObjectIdentifier(step)).inserted else { return }
            for earlier in step.after { visit(earlier) }
            done.append(step)
        }
        for step in all { visit(step) }
        return done
    }()
}
