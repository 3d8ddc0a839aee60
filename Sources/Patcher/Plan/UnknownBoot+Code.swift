extension UnknownBoot {
    /// Its word, in JSON and in docs/verdicts.md.
    package enum Code: String, CaseIterable, Sendable {
        case noMenu = "no-menu"
        case needsBootEntry = "needs-boot-entry"
        case loadersNotRead = "loaders-not-read"
        case startsAnotherSystem = "starts-another-system"
        case startsUnknownProgram = "starts-unknown-program"
        case startsUnifiedKernel = "starts-unified-kernel"
        case startsNoKernel = "starts-no-kernel"
        case oneCannot = "one-cannot"
        case oneMayNot = "one-may-not"
        case noDefault = "no-default"
    }

    /// Its word.
    package var code: Code {
        switch self {
        case .noMenu: .noMenu
        case .needsBootEntry: .needsBootEntry
        case .loadersNotRead: .loadersNotRead
        case .startsAnotherSystem: .startsAnotherSystem
        case .startsUnknownProgram: .startsUnknownProgram
        case .startsUnifiedKernel: .startsUnifiedKernel
        case .startsNoKernel: .startsNoKernel
        case .oneCannot: .oneCannot
        case .oneMayNot: .oneMayNot
        case .noDefault: .noDefault
        }
    }
}
