internal import HostIO
internal import ImageFormats
public import Storage
internal import Undo

/// How disk images are opened.
public struct ImageOptions: Sendable {
    /// The format by its name ("raw", "vhd"/"vpc", "vhdx", "vmdk", "vdi", "qcow2"); nil: by probing.
    public var format: String?
    /// Read images that a virtual machine is writing to (`-U`).
    public var ignoresLocks: Bool
    /// Open files that the image names when they lie beside it (`--allow-siblings`).
    public var allowsSiblings: Bool
    /// The images behind the ones that are opened, in any order: each takes the one that it says is its own.
    public var parents: [String]
    /// Read file systems on where a metadata checksum is wrong, or where the newest part of a journal is damaged,
    /// with a warning (`--ignore-checksums`). Nothing is written to such a guest.
    public var ignoresChecksums: Bool
    /// Which of a VHD's two sizes is the disk's: "auto" (by who made it), "current_size" or "chs" (`--vhd-size`).
    public var vhdSize = "auto"
    /// The directory of the undo records of block devices (`--undo-dir`); nil: the working directory.
    public var undoDirectory: String?
    /// Read damaged images as far as they go: see `DiskSalvage`. Nothing is written to them.
    public var salvages = false

    /// Makes options. The defaults probe, honour locks and open no other file.
    public init(
        format: String? = nil, ignoresLocks: Bool = false, allowsSiblings: Bool = false,
        parent: String? = nil,
        ignoresChecksums: Bool = false
    ) {
        self.format = format
        self.ignoresLocks = ignoresLocks
        self.allowsSiblings = allowsSiblings
        parents = parent.map { [$0] } ?? []
        self.ignoresChecksums = ignoresChecksums
    }

    var records: UndoPlace { undoDirectory.map { UndoPlace(deviceDirectory: $0) } ?? UndoPlace() }

    /// Throws `refused`, code "force-share-writes": what another program has open is read with `-U`, never written.
    public func requireLocks(_ path: String) throws(StorageError) {
        guard ignoresLocks else { return }
        throw StorageError(
            .refused, DiskCode.forceShareWrites,
            "-U reads an image that a virtual machine has open; a command that writes takes no -U", path: path
        )
    }

    /// Files by name, with these locks.
    var hostFiles: HostFiles { HostFiles(locking: ignoresLocks ? .ignore : .honour) }

    func openOptions(_ access: FileAccess) -> ImageOpenOptions {
        ImageOpenOptions(
            files: RecordedFiles(hostFiles), access: access,
            references: ReferencePolicy(allowsSiblings: allowsSiblings, parents: parents),
            vhdSize: VHDSizeRule(rawValue: vhdSize) ?? .byCreator, isSalvage: salvages && access == .read)
    }

    func imageFormat() throws(StorageError) -> ImageFormat? {
        guard VHDSizeRule(rawValue: vhdSize) != nil else {
            throw StorageError(
                .misuse, DiskCode.unknownSizeRule,
                "a VHD's size is taken by auto, current_size or chs, not by \"\(vhdSize)\"")
        }
        guard let format else { return nil }
        return try ImageFormat.named(format)
    }
}

extension ImageFormat {
    /// A format by the name a user typed, or `misuse`.
    static func named(_ name: String) throws(StorageError) -> ImageFormat {
        guard let format = ImageFormat(name: name) else {
            throw StorageError(
                .misuse, DiskCode.unknownFormat,
                "there is no format \"\(name)\"; the formats are \(ImageFormat.names)")
        }
        return format
    }
}
