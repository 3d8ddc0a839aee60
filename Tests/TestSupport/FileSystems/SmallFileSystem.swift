package import Storage
internal import Synchronization

/// A file system that can do little, for tests of what depends on that: it replaces contents and can do nothing else,
/// keeps no owner, mode or link, takes names that differ in case for one, and has keys that are no inode numbers. Or it
/// can only be read.
///
/// A header (magic, a letter for what it allows, the live slot) and two slots of records: type, path, contents. A
/// commit writes the other slot and then the header, so that a cut leaves the old or the new.
package enum SmallDriver: FileSystemDriver {
    package static let kind = VolumeIdentity.Kind(rawValue: "smallfs")
    package static let kinds: [VolumeIdentity.Kind] = [kind]
    package static let layer = "smallfs"
    package static let errorLayers: Set<String> = ["smallfs"]
    package static let repairTool = "fsck.small"
    package static let capabilities = Capabilities(changes: .contents, foldsCase: true)

    static let magic = Array("SMALLFS1".utf8)
    static let slots: [UInt64] = [4096, 524_288]
    static let slotLength = 500_000
    /// A file of these contents cannot be read: what damage in it would do.
    package static let damage = Array("\u{0}damage".utf8)
    /// Every volume has this length.
    package static let byteCount = 1 << 20

    /// A volume with these files, and the directories that hold them.
    package static func volume(_ files: [String: [UInt8]], isWritable: Bool = true) -> [UInt8] {
        var records: [SmallFileSystem.Record] = []
        for (path, contents) in files.sorted(by: { $0.key < $1.key }) {
            var directory: [[UInt8]] = []
            for name in path.split(separator: "/").dropLast() {
                directory.append(Array(name.utf8))
                if !records.contains(where: { $0.path == directory }) {
                    records.append(.init(path: directory, contents: nil))
                }
            }
            records.append(
                .init(path: path.split(separator: "/").map { Array($0.utf8) }, contents: contents))
        }
        var bytes = [UInt8](repeating: 0, count: byteCount)
        bytes.replaceSubrange(0..<512, with: header(isWritable: isWritable, slot: 0))
        let encoded = SmallFileSystem.encode(records)
        let start = Int(slots[0])
        bytes.replaceSubrange(start..<start + encoded.count, with: encoded)
        return bytes
    }

    static func header(isWritable: Bool, slot: UInt8) -> [UInt8] {
        magic + [UInt8(ascii: isWritable ? "W" : "R"), slot] + [UInt8](repeating: 0, count: 502)
    }

    package static func identify(_ device: any BlockDevice) throws(StorageError) -> VolumeSignature? {
        guard device.byteCount >= UInt64(byteCount), try device.bytes(at: 0, count: 8) == magic else {
            return nil
        }
        return VolumeSignature(
            VolumeIdentity(kind: kind, byteCount: UInt64(byteCount), blockSize: 512), .firm)
    }

    package static func open(
        _ device: any BlockDevice, options: FileSystemOptions
    ) throws(StorageError) -> any FileSystem {
        guard let signature = try identify(device) else {
            throw StorageError(.corrupt, layer: layer, code: "bad-magic", "there is no such file system here")
        }
        let isWritable = try device.bytes(at: 8, count: 1) == [UInt8(ascii: "W")]
        return isWritable
            ? try WritableSmallFileSystem(device, signature.identity)
            : try SmallFileSystem(device, signature.identity)
    }

    package static func check(
        _ device: any BlockDevice, report: (Finding) -> Void
    ) throws(StorageError) {
        do throws(StorageError) {
            _ = try open(device, options: FileSystemOptions())
        } catch {
            guard error.kind == .corrupt else { throw error }
            report(Finding(error))
        }
    }
}

/// The reading half.
package class SmallFileSystem: FileSystem, @unchecked Sendable {
    struct Record: Sendable {
        var path: [[UInt8]]
        /// Nil: a directory.
        var contents: [UInt8]?
    }

    package let identity: VolumeIdentity
    package let rootDirectory = FileID(1 << 40)
    let device: any BlockDevice
    private let held: Mutex<[Record]>

    init(_ device: any BlockDevice, _ identity: VolumeIdentity) throws(StorageError) {
        self.device = device
        self.identity = identity
        held = Mutex(try Self.read(device))
    }

    package var capabilities: Capabilities { Capabilities(foldsCase: true) }

    var records: [Record] {
        get { held.withLock { $0 } }
        set { held.withLock { $0 = newValue } }
    }

    static func encode(_ records: [Record]) -> [UInt8] {
        var bytes: [UInt8] = []
        for record in records {
            let path = Array(record.path.joined(separator: [UInt8(ascii: "/")]))
            bytes += [record.contents == nil ? 1 : 2, UInt8(path.count)] + path
            let count = UInt32(record.contents?.count ?? 0)
            bytes += (0..<4).map { UInt8(truncatingIfNeeded: count >> ($0 * 8)) } + (record.contents ?? [])
        }
        return bytes
    }

    private static func read(_ device: any BlockDevice) throws(StorageError) -> [Record] {
        let slot = Int(try device.bytes(at: 9, count: 1)[0])
        guard slot < 2 else {
            throw StorageError(
                .corrupt, layer: SmallDriver.layer, code: "bad-slot", "there is no slot \(slot)")
        }
        let bytes = try device.bytes(at: SmallDriver.slots[slot], count: SmallDriver.slotLength)
        var records: [Record] = []
        var offset = 0
        while bytes[offset] != 0 {
            let pathLength = Int(bytes[offset + 1])
            let path = bytes[offset + 2..<offset + 2 + pathLength]
            offset += 2 + pathLength
            let count = Int(bytes.little(offset, as: UInt32.self))
            let contents = Array(bytes[offset + 4..<offset + 4 + count])
            let isFile = bytes[offset - 2 - pathLength] == 2
            records.append(
                Record(
                    path: path.split(separator: UInt8(ascii: "/")).map(Array.init),
                    contents: isFile ? contents : nil))
            offset += 4 + count
        }
        return records
    }

    // MARK: FileTree

    package func lookUp(_ name: [UInt8], in directory: FileID) throws(StorageError) -> FileID? {
        try Self.lookUp(name, in: directory, records)
    }

    package func forEachEntry(
        of directory: FileID, _ body: (DirectoryEntry) throws(StorageError) -> Bool
    ) throws(StorageError) { try Self.forEachEntry(of: directory, records, body) }

    package func attributes(of file: FileID) throws(StorageError) -> FileAttributes {
        try Self.attributes(of: file, records)
    }

    package func read(
        _ file: FileID, into target: inout MutableRawSpan, at offset: UInt64
    ) throws(StorageError) -> Int { try Self.read(file, into: &target, at: offset, records) }
}

/// What the file system and its transaction share.
extension SmallFileSystem {
    /// A key: the record's index, in a form that no one takes for an inode number.
    private static func key(_ index: Int) -> FileID { FileID(UInt64(index + 2) << 40) }

    static func index(_ file: FileID) throws(StorageError) -> Int? {
        if file.rawValue == 1 << 40 { return nil }
        guard file.rawValue >= 2 << 40, file.rawValue & 0xff_ffff_ffff == 0 else {
            throw StorageError(.misuse, layer: SmallDriver.layer, code: "no-such-key", "there is no such key")
        }
        return Int(file.rawValue >> 40) - 2
    }

    private static func path(_ file: FileID, _ records: [Record]) throws(StorageError) -> [[UInt8]] {
        guard let index = try index(file) else { return [] }
        return records[index].path
    }

    private static func folded(_ name: [UInt8]) -> [UInt8] {
        name.map { (0x41...0x5a).contains($0) ? $0 + 0x20 : $0 }
    }

    static func lookUp(
        _ name: [UInt8], in directory: FileID, _ records: [Record]
    ) throws(StorageError) -> FileID? {
        let parent = try path(directory, records)
        if name == Array(".".utf8) { return directory }
        if name == Array("..".utf8) {
            guard parent.count > 1 else { return FileID(1 << 40) }
            return records.firstIndex { $0.path == parent.dropLast() }.map(key)
        }
        return records.firstIndex { record in
            record.path.count == parent.count + 1 && record.path.starts(with: parent)
                && folded(record.path[parent.count]) == folded(name)
        }.map(key)
    }

    static func forEachEntry(
        of directory: FileID, _ records: [Record], _ body: (DirectoryEntry) throws(StorageError) -> Bool
    ) throws(StorageError) {
        let parent = try path(directory, records)
        for (index, record) in records.enumerated()
        where record.path.count == parent.count + 1 && record.path.starts(with: parent) {
            let type: FileType = record.contents == nil ? .directory : .regular
            guard
                try body(DirectoryEntry(name: record.path[parent.count], file: key(index), type: type))
            else { return }
        }
    }

    static func attributes(of file: FileID, _ records: [Record]) throws(StorageError) -> FileAttributes {
        let index = try index(file)
        let contents = index.flatMap { records[$0].contents }
        let time = Timestamp(seconds: 0)
        return FileAttributes(
            type: contents == nil ? .directory : .regular, permissions: 0o755, owner: 0, group: 0,
            linkCount: 1, size: UInt64(contents?.count ?? 0), allocatedByteCount: 0, accessTime: time,
            modificationTime: time, changeTime: time, kept: [])
    }

    static func read(
        _ file: FileID, into target: inout MutableRawSpan, at offset: UInt64, _ records: [Record]
    ) throws(StorageError) -> Int {
        guard let index = try index(file), let bytes = records[index].contents, offset < bytes.count else {
            return 0
        }
        guard bytes != SmallDriver.damage else {
            throw StorageError(.corrupt, layer: SmallDriver.layer, code: "damaged", "the file cannot be read")
        }
        let count = min(target.byteCount, bytes.count - Int(offset))
        target.copy(bytes.span8.extracting(Int(offset)..<Int(offset) + count), to: 0)
        return count
    }
}

/// With the writing half.
package final class WritableSmallFileSystem: SmallFileSystem, WritableFileSystem, @unchecked Sendable {
    package override var capabilities: Capabilities { SmallDriver.capabilities }

    package func begin() throws(StorageError) -> SmallTransaction {
        guard let device = device as? any WritableBlockDevice else {
            throw StorageError(
                .misuse, layer: SmallDriver.layer, code: "read-only-device",
                "the volume was opened for reading only")
        }
        return SmallTransaction(self, device, slot: try device.bytes(at: 9, count: 1)[0])
    }
}

/// Replaces contents.
package final class SmallTransaction: ContentsTransaction {
    private let fileSystem: WritableSmallFileSystem
    private let device: any WritableBlockDevice
    private var records: [SmallFileSystem.Record]
    /// The live slot when it was begun.
    private let slot: UInt8

    init(_ fileSystem: WritableSmallFileSystem, _ device: any WritableBlockDevice, slot: UInt8) {
        self.fileSystem = fileSystem
        self.device = device
        self.slot = slot
        records = fileSystem.records
    }

    package var kind: VolumeIdentity.Kind { fileSystem.kind }
    package var rootDirectory: FileID { fileSystem.rootDirectory }
    package var shouldBeCommitted: Bool { false }

    package func lookUp(_ name: [UInt8], in directory: FileID) throws(StorageError) -> FileID? {
        try SmallFileSystem.lookUp(name, in: directory, records)
    }

    package func forEachEntry(
        of directory: FileID, _ body: (DirectoryEntry) throws(StorageError) -> Bool
    ) throws(StorageError) { try SmallFileSystem.forEachEntry(of: directory, records, body) }

    package func attributes(of file: FileID) throws(StorageError) -> FileAttributes {
        try SmallFileSystem.attributes(of: file, records)
    }

    package func read(
        _ file: FileID, into target: inout MutableRawSpan, at offset: UInt64
    ) throws(StorageError) -> Int { try SmallFileSystem.read(file, into: &target, at: offset, records) }

    package func replaceContents(of file: FileID, with contents: [UInt8]) throws(StorageError) {
        guard let index = try SmallFileSystem.index(file), records[index].contents != nil else {
            throw StorageError(
                .misuse, layer: SmallDriver.layer, code: "not-a-regular-file", "a directory has no contents")
        }
        records[index].contents = contents
    }

    package func prepare() throws(StorageError) -> any PreparedChange {
        let bytes = SmallFileSystem.encode(records) + [0]
        guard bytes.count <= SmallDriver.slotLength else {
            throw StorageError(.refused, layer: SmallDriver.layer, code: "no-space", "the volume is full")
        }
        return Change(fileSystem, device, records, bytes, slot: slot)
    }

    private final class Change: PreparedChange {
        let fileSystem: WritableSmallFileSystem
        let device: any WritableBlockDevice
        let records: [SmallFileSystem.Record]
        let bytes: [UInt8]
        let slot: UInt8

        init(
            _ fileSystem: WritableSmallFileSystem, _ device: any WritableBlockDevice,
            _ records: [SmallFileSystem.Record], _ bytes: [UInt8], slot: UInt8
        ) {
            self.fileSystem = fileSystem
            self.device = device
            self.records = records
            self.bytes = bytes
            self.slot = slot
        }

        var isEmpty: Bool { false }
        var blockWriteCount: Int { bytes.count / 512 + 2 }

        func commit() throws(StorageError) {
            guard try device.bytes(at: 9, count: 1) == [slot] else {
                throw StorageError(
                    .misuse, layer: SmallDriver.layer, code: "transaction-stale", "begin another transaction")
            }
            try device.write(bytes, at: SmallDriver.slots[Int(1 - slot)])
            try device.flush()
            try device.write(SmallDriver.header(isWritable: true, slot: 1 - slot), at: 0)
            try device.flush()
            fileSystem.records = records
        }
    }
}
