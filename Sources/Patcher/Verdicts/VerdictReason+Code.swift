extension VerdictReason {
    /// The words of reports, one a case; docs/verdicts.md explains each.
    package enum Code: String, Sendable, CaseIterable {
        case noUEFILoader = "no-uefi-loader"
        case noFallbackLoader = "no-fallback-loader"
        case cannotTakeChanges = "cannot-take-changes"
        case afterChanges = "after-changes"
        case uefiOnly = "uefi-only"
        case noBootCode = "no-boot-code"
        case firmwareWithoutDriver = "firmware-without-driver"
        case controllerNotOffered = "controller-not-offered"
        case bootsXen = "boots-xen"
        case xenOnlyKernel = "xen-only-kernel"
        case fileMissing = "file-missing"
        case loaderDeviceMissing = "loader-device-missing"
        case loaderDeviceUnknown = "loader-device-unknown"
        case noKernel = "no-kernel"
        case arrayDegraded = "array-degraded"
        case loaderCommandMissing = "loader-command-missing"
        case arrayDivided = "array-divided"
        case liloMap = "lilo-map"
        case driversMissing = "drivers-missing"
        case initramfsDamaged = "initramfs-damaged"
        case initramfsEndsEarly = "initramfs-ends-early"
        case noFallbackEntry = "no-fallback-entry"
        case noSuchDriver = "no-such-driver"
        case driverForbidden = "driver-forbidden"
        case needsArgument = "needs-argument"
        case rootNeedsInitramfs = "root-needs-initramfs"
        case rootUnresolved = "root-unresolved"
        case rootNotTold = "root-not-told"
        case rootNotNamed = "root-not-named"
        case rootTypeWrong = "root-type-wrong"
        case rootShared = "root-shared"
        case menuNotInUse = "menu-not-in-use"
        case keepsXenEntry = "keeps-xen-entry"
        case argumentsElsewhere = "arguments-elsewhere"
        case argumentsUnreadable = "arguments-unreadable"
        case argumentUnresolved = "argument-unresolved"
        case rowStopsBoot = "row-stops-boot"
        case numberedDevice = "numbered-device"
        case unitStopsBoot = "unit-stops-boot"
        case treeMissing = "tree-missing"
        case hiddenByFilter = "hidden-by-filter"
        case hiddenByCopy = "hidden-by-copy"
        case hiddenByDevicesFile = "hidden-by-devices-file"
        case volumeDamaged = "volume-damaged"
        case sharedXFS = "shared-xfs"
        case awaitsTarget = "awaits-target"
        case tableDamaged = "table-damaged"
        case tableMended = "table-mended"
        case groupIncomplete = "group-incomplete"
        case groupDoubled = "group-doubled"
        case statedWrongly = "stated-wrongly"
        case cardNotChanged = "card-not-changed"
        case suspended
        case unreadableMount = "unreadable-mount"
        case unreadableFile = "unreadable-file"
        case moreThanIsRead = "memory-bound"
        case unwritableNames = "unwritable-names"
        case generatedFile = "generated-file"
        case unreadableMenu = "unreadable-menu"
        case bootUnresolved = "boot-unresolved"
        case unknownLoader = "unknown-loader"
        case wouldBeTakenFor = "would-be-taken-for"
        case wouldMeanAnother = "would-mean-another"
        case wouldChangeAgain = "would-change-again"
        case defaultCannot = "default-cannot"
    }

    /// Its word.
    package var code: Code {
        switch self {
        case .noUEFILoader: .noUEFILoader
        case .noFallbackLoader: .noFallbackLoader
        case .cannotTakeChanges: .cannotTakeChanges
        case .afterChanges: .afterChanges
        case .uefiOnly: .uefiOnly
        case .noBootCode: .noBootCode
        case .firmwareWithoutDriver: .firmwareWithoutDriver
        case .controllerNotOffered: .controllerNotOffered
        case .bootsXen: .bootsXen
        case .xenOnlyKernel: .xenOnlyKernel
        case .fileMissing, .fileElsewhere: .fileMissing
        case .loaderDeviceMissing: .loaderDeviceMissing
        case .loaderDeviceUnknown: .loaderDeviceUnknown
        case .noKernel: .noKernel
        case .arrayDegraded: .arrayDegraded
        case .loaderCommandMissing: .loaderCommandMissing
        case .arrayDivided: .arrayDivided
        case .liloMap: .liloMap
        case .driversMissing: .driversMissing
        case .initramfsDamaged: .initramfsDamaged
        case .initramfsEndsEarly: .initramfsEndsEarly
        case .noFallbackEntry: .noFallbackEntry
        case .noSuchDriver: .noSuchDriver
        case .driverForbidden: .driverForbidden
        case .needsArgument: .needsArgument
        case .rootNeedsInitramfs: .rootNeedsInitramfs
        case .rootUnresolved: .rootUnresolved
        case .rootNotTold: .rootNotTold
        case .rootNotNamed: .rootNotNamed
        case .rootTypeWrong: .rootTypeWrong
        case .rootShared: .rootShared
        case .menuNotInUse: .menuNotInUse
        case .keepsXenEntry: .keepsXenEntry
        case .argumentsElsewhere: .argumentsElsewhere
        case .argumentsUnreadable: .argumentsUnreadable
        case .argumentUnresolved: .argumentUnresolved
        case .rowStopsBoot: .rowStopsBoot
        case .numberedDevice: .numberedDevice
        case .unitStopsBoot: .unitStopsBoot
        case .treeMissing: .treeMissing
        case .hiddenByFilter: .hiddenByFilter
        case .hiddenByCopy: .hiddenByCopy
        case .hiddenByDevicesFile: .hiddenByDevicesFile
        case .volumeDamaged: .volumeDamaged
        case .sharedXFS: .sharedXFS
        case .awaitsTarget: .awaitsTarget
        case .tableDamaged: .tableDamaged
        case .tableMended: .tableMended
        case .groupIncomplete: .groupIncomplete
        case .groupDoubled: .groupDoubled
        case .statedWrongly: .statedWrongly
        case .cardNotChanged: .cardNotChanged
        case .suspended: .suspended
        case .unreadableMount: .unreadableMount
        case .unreadableFile: .unreadableFile
        case .moreThanIsRead: .moreThanIsRead
        case .unwritableNames: .unwritableNames
        case .generatedFile: .generatedFile
        case .unreadableMenu: .unreadableMenu
        case .bootUnresolved: .bootUnresolved
        case .unknownLoader: .unknownLoader
        case .wouldBeTakenFor: .wouldBeTakenFor
        case .wouldMeanAnother: .wouldMeanAnother
        case .wouldChangeAgain: .wouldChangeAgain
        case .defaultCannot: .defaultCannot
        }
    }
}
