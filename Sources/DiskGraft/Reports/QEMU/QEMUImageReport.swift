internal import ImageFormats
public import Storage

/// What an image says of itself, as `qemu-img info --output=json` prints it. No other file is opened for it.
public struct QEMUImageReport: Encodable, Sendable {
    /// The image's path.
    public var filename: String
    /// qemu's name of the format: "vpc" for a VHD.
    public var format: String
    /// Bytes of the disk.
    public var virtualSize: UInt64
    /// Bytes that the file occupies.
    public var actualSize: UInt64?
    /// Bytes of a cluster, block or grain.
    public var clusterSize: UInt64?
    /// Its writer did not close it.
    public var dirtyFlag: Bool
    /// Present and true when the guest's bytes are encrypted.
    public var encrypted: Bool?
    /// The file behind it, as stored.
    public var backingFilename: String?
    /// The same with the image's directory in front.
    public var fullBackingFilename: String?
    /// Its format, as stored.
    public var backingFilenameFormat: String?
    /// States of the disk that it holds within.
    public var snapshots: [Snapshot]?
    /// What only this format has.
    public var formatSpecific: Specific?

    /// A state of the disk.
    public struct Snapshot: Encodable, Sendable {
        /// Its identifier, as stored.
        public var id: String
        /// Its name, as stored.
        public var name: String
        /// Bytes of the machine's state; 0: the disk alone.
        public var vmStateSize: UInt64
        /// When it was taken, in seconds since 1970.
        public var dateSeconds: UInt32
        /// And nanoseconds.
        public var dateNanoseconds: UInt32
        /// How long the machine had run, in seconds.
        public var clockSeconds: UInt64
        /// And nanoseconds.
        public var clockNanoseconds: UInt64
        /// Instructions that it had done, where they were counted.
        public var icount: UInt64?

        private enum CodingKeys: String, CodingKey {
            case id, name, icount
            case vmStateSize = "vm-state-size"
            case dateSeconds = "date-sec"
            case dateNanoseconds = "date-nsec"
            case clockSeconds = "vm-clock-sec"
            case clockNanoseconds = "vm-clock-nsec"
        }
    }

    /// The facts of one format.
    public struct Specific: Encodable, Sendable {
        /// qemu's name of the format.
        public var type: String
        /// The facts by qemu's names.
        public var data: [String: Value]
    }

    /// A piece of a disk that is made of several files.
    public struct Piece: Encodable, Equatable, Sendable {
        /// Its path: the image's directory with the name as stored.
        public var filename: String
        /// The format's word for its kind.
        public var format: String
        /// Bytes of the disk.
        public var virtualSize: UInt64
        /// Bytes of a grain; nil where the piece is not opened.
        public var clusterSize: UInt64?
        /// Present and true when its grains are compressed.
        public var compressed: Bool?

        private enum CodingKeys: String, CodingKey {
            case filename, format, compressed
            case virtualSize = "virtual-size"
            case clusterSize = "cluster-size"
        }
    }

    /// A text, a number, a switch, or the pieces of a disk.
    public enum Value: Encodable, Equatable, Sendable {
        /// A text.
        case text(String)
        /// A number.
        case number(UInt64)
        /// A switch.
        case flag(Bool)
        /// Pieces.
        case pieces([Piece])

        /// The bare value.
        public func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let text): try container.encode(text)
            case .number(let number): try container.encode(number)
            case .flag(let flag): try container.encode(flag)
            case .pieces(let pieces): try container.encode(pieces)
            }
        }
    }

    private enum CodingKeys: String, CodingKey {
        case filename, format, encrypted, snapshots
        case virtualSize = "virtual-size"
        case actualSize = "actual-size"
        case clusterSize = "cluster-size"
        case dirtyFlag = "dirty-flag"
        case backingFilename = "backing-filename"
        case fullBackingFilename = "full-backing-filename"
        case backingFilenameFormat = "backing-filename-format"
        case formatSpecific = "format-specific"
    }

    /// Describes the image at `path`.
    public init(_ path: String, options: ImageOptions = ImageOptions()) throws(StorageError) {
        let request = try DiskSources.one(path, options).requests[0]
        let (path, options) = (request.path, request.options)
        try DiskImage.requireSettled(path, options)
        let info = try ImageProbe.describe(
            try options.hostFiles.open(path, access: .read), format: options.format)
        filename = path
        format = info.format.qemuName
        virtualSize = info.virtualSize
        actualSize = Self.allocatedSize(of: info, path, options)
        clusterSize = info.unitSize
        dirtyFlag = info.isDirty ?? false
        encrypted = info.isEncrypted ? true : nil
        let isChildOfVMware = info.format == .vmdk
        let role = isChildOfVMware ? "parent" : "backing file"
        if let backing = info.references.first(where: { $0.role == role })?.name {
            backingFilename = backing
            fullBackingFilename = Self.place(of: backing, from: path)
            backingFilenameFormat = isChildOfVMware ? info.format.qemuName : info.detail("backing format")
        }
        snapshots = info.snapshots.isEmpty ? nil : info.snapshots.map(Snapshot.init)
        formatSpecific = Specific(info, path)
    }

    /// Bytes that all of an image's files occupy, where the ones beside it that are part of it can be opened.
    private static func allocatedSize(of info: ImageInfo, _ path: String, _ options: ImageOptions) -> UInt64?
    {
        var names: [[UInt8]] = []
        for name in info.extents.compactMap(\.name) where !names.contains(name) { names.append(name) }
        return names.reduce(info.allocatedSize) { sum, name in
            let file = try? options.hostFiles.openSibling(
                of: path, name: String(hostBytes: name), access: .read)
            guard let sum, let bytes = file?.allocatedByteCount else { return sum }
            return sum &+ bytes
        }
    }

    /// A stored name as qemu shows it: the image's directory before it.
    fileprivate static func place(of name: String, from path: String) -> String {
        let isPlace = name.utf8.first == UInt8(ascii: "/") || name.contains(":")
        let directory = path.contains("/") ? HostPath.directory(of: path) + "/" : ""
        return isPlace ? name : directory + name
    }
}

extension QEMUImageReport.Snapshot {
    fileprivate init(_ snapshot: ImageInfo.Snapshot) {
        id = snapshot.identifier.displayText
        name = snapshot.name.displayText
        vmStateSize = snapshot.stateSize
        dateSeconds = snapshot.seconds
        dateNanoseconds = snapshot.nanoseconds
        clockSeconds = snapshot.clock / 1_000_000_000
        clockNanoseconds = snapshot.clock % 1_000_000_000
        icount = snapshot.instructionCount
    }
}

extension QEMUImageReport.Specific {
    fileprivate init?(_ info: ImageInfo, _ path: String) {
        type = info.format.qemuName
        data = [:]
        switch info.format {
        case .qcow2:
            data["compat"] = info.detail("compat").map { .text($0) }
            data["compression-type"] = info.detail("compression type").map { .text($0) }
            data["refcount-bits"] = info.detail("refcount bits").flatMap { UInt64($0) }.map { .number($0) }
            guard info.detail("compat") != "0.10" else { return }
            data["lazy-refcounts"] = .flag(info.detail("lazy refcounts") != nil)
            data["corrupt"] = .flag(info.isMarkedCorrupt)
            data["extended-l2"] = .flag(info.detail("extended L2") != nil)
        case .vmdk:
            data["create-type"] = info.variant.map { .text($0) }
            data["cid"] = info.detail("CID").flatMap { UInt64($0, radix: 16) }.map { .number($0) }
            let parent = info.detail("parent CID").flatMap { UInt64($0, radix: 16) }
            data["parent-cid"] = .number(parent ?? UInt64(UInt32.max))
            data["extents"] = .pieces(
                info.extents.map { extent in
                    QEMUImageReport.Piece(
                        filename: extent.name.map { QEMUImageReport.place(of: $0.displayText, from: path) }
                            ?? path,
                        format: extent.kind, virtualSize: extent.byteCount, clusterSize: extent.unitSize,
                        compressed: extent.isCompressed ? true : nil)
                })
        // Of the others qemu-img says no more.
        default: return nil
        }
    }
}

extension ImageInfo {
    /// The value of a further fact.
    fileprivate func detail(_ name: String) -> String? { details.first { $0.name == name }?.value }
}
