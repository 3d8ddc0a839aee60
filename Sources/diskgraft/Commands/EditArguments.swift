import ArgumentParser
import DiskGraft

/// Where the files are that a command changes.
struct EditArguments: ParsableArguments {
    @OptionGroup var image: ImageArguments
    @OptionGroup var tracking: TrackingArguments
    @OptionGroup var disks: FurtherDisks
    @OptionGroup var source: SourceArguments

    @Option(
        help: ArgumentHelp(
            "Change this volume alone (p2, 2:p1, VG/LV); without it, the guest's own tree.",
            valueName: "volume"))
    var volume: String?

    /// Changes the guest on `path` and further disks; the images are as they were when `body` throws, and after an
    /// interruption before the end.
    func edit(_ path: String, _ body: (GuestEdit) throws(StorageError) -> Void) throws {
        let guest = try Guest.open([path] + disks.with, options: tracking.options(image), forWriting: true)
        for warning in guest.warnings { Terminal.printWarning(warning) }
        try guest.edit(volume: volume, source: try source.options(), body)
    }
}

/// What a new file gets, where a command lets one say so.
struct NewFileArguments: ParsableArguments {
    @Option(name: [.customShort("m"), .long], help: ArgumentHelp("The mode, octal.", valueName: "mode"))
    var mode: String?

    @Option(
        help: ArgumentHelp(
            "Owner and group, by number or the guest's names; without it, those of the directory.",
            valueName: "owner[:group]"))
    var owner: String?

    func validate() throws {
        if let mode, UInt16(mode, radix: 8).map({ $0 > 0o7777 }) ?? true {
            throw ValidationError("\"\(mode)\" is no mode; one reads like 0644")
        }
    }

    /// The permissions that the usual umasks, 022 and 002, leave `permissions` of.
    private static func unmasked(_ permissions: UInt16) -> UInt16 {
        switch permissions {
        case 0o644, 0o664: 0o666
        case 0o755, 0o775: 0o777
        default: permissions
        }
    }

    /// The options, with the guest's own accounts. `usual` are the permissions of a file that is copied.
    func options(_ edit: GuestEdit, usual: UInt16? = nil) throws(StorageError) -> NewFileOptions {
        let ids = try owner.map { (text) throws(StorageError) in try Ownership(text, edit) }
        let explicit = mode.flatMap { UInt16($0, radix: 8) }
        return NewFileOptions(
            permissions: explicit, copiedPermissions: usual,
            unmaskedPermissions: explicit ?? usual.map(Self.unmasked), owner: ids?.owner, group: ids?.group)
    }
}

/// OWNER, OWNER:GROUP or :GROUP, by number or by the guest's names.
struct Ownership {
    var owner: UInt32?
    var group: UInt32?

    init(_ text: String, _ edit: GuestEdit) throws(StorageError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init)
        func id(_ name: String, _ file: GuestEdit.AccountFile) throws(StorageError) -> UInt32? {
            if name.isEmpty { return nil }
            if let number = UInt32(name) { return number }
            guard let found = try edit.accountID(name, in: file) else {
                throw StorageError(
                    .refused, GuestCode.noSuchAccount,
                    "the guest's \(file.rawValue) has no \"\(name)\"; give a number")
            }
            return found
        }
        owner = try id(parts.first ?? "", .users)
        group = parts.count > 1 ? try id(parts[1], .groups) : nil
        guard owner != nil || group != nil else {
            throw StorageError(
                .misuse, GuestCode.badOwner, "\"\(text)\" names neither owner nor group")
        }
    }
}
