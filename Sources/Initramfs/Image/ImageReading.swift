internal import Codecs
internal import Storage

/// One pass over an image.
final class ImageReading {
    private let source: ByteSource
    let limits: InitramfsLimits
    var result = InitramfsContents()
    /// First names of files that have several, since the last end of an archive.
    var links: [LinkKey: [UInt8]] = [:]
    var nameByteCount = 0
    var heldByteCount = 0
    private var decodedByteCount: UInt64 = 0
    /// What stands before the member that is read, where it has an /init.
    private var system: UnpackedTree?
    /// An archive was begun, and its end was not seen; or a stream, whose end would tell that it is sound.
    private var isWithinArchive = false

    /// By what Linux knows that entries are names of one file.
    struct LinkKey: Hashable {
        var device: UInt64
        var inode: UInt32
        var mode: UInt32
    }

    init(_ source: ByteSource, limits: InitramfsLimits) {
        self.source = source
        self.limits = limits
        result.byteCount = source.byteCount
    }

    /// What Linux unpacks, where it was built with all of it (lib/decompress.c).
    private static let codecs: [Codec] = [.gzip, .bzip2, .lzma, .xz, .lzo, .lz4Legacy, .zstd]

    /// The encoding of a member that begins so; nil where Linux knows none.
    static func codec(_ head: [UInt8]) -> Codec? {
        codecs.first { codec in codec.signature.map { head.span8.matches($0) } ?? false }
    }

    /// Reads all of it, and answers with the contents that `isWanted` asked for under a name that came after them.
    /// `contents` are held as well.
    func run(
        _ isWanted: (_ path: [UInt8], _ size: UInt64) -> Bool, contents: Set<Int>
    ) throws(StorageError) -> Set<Int> {
        do throws(StorageError) {
            try readMembers { path, size, number in contents.contains(number) || isWanted(path, size) }
        } catch {
            let isDamage = error.kind == .corrupt || error.kind == .unsupported
            guard isDamage || system != nil && error.kind == .refused && !error.isCancellation else {
                throw error
            }
            result.failure = error
            result.isCutOff = isWithinArchive
            if let system {
                result.isBehindSystem = true
                result.isChangedBehind = !result.tree.extends(system)
                result.tree = system
            }
        }
        var missing: Set<Int> = []
        let tree = result.tree
        for (path, node) in tree.nodes {
            guard let number = node.contents, tree.sizes[number] > 0, result.held[number] == nil,
                isWanted(path, tree.sizes[number]), !result.omitted.contains(path)
            else { continue }
            missing.insert(number)
        }
        // What is empty has bytes, too.
        for node in tree.nodes.values {
            if let number = node.contents, tree.sizes[number] == 0 { result.held[number] = [] }
        }
        return missing
    }

    typealias Filter = (_ path: [UInt8], _ size: UInt64, _ contents: Int) -> Bool

    private func readMembers(_ isWanted: Filter) throws(StorageError) {
        var position: UInt64 = 0
        var followsArchive = false
        while true {
            var input = EntryInput(source, at: position)
            // What begins with a boot block begins with zeros.
            if position == 0, let kind = OldRootKind(try input.peek(OldRootKind.headByteCount)) {
                result.fileSystem = kind
                return
            }
            try input.skipZeros()
            position = input.position
            guard let first = try input.next() else { break }
            keepSystem()
            guard !followsArchive || position % 4 == 0 else { throw brokenPadding(position) }
            followsArchive = first == UInt8(ascii: "0") && position % 4 == 0
            if followsArchive {
                position = try readArchive(&input, isWanted)
                continue
            }
            let head = try input.peek(OldRootKind.headByteCount)
            guard let codec = Self.codec(head) else { throw foreign(head, at: position) }
            // lib/xz knows no other checks, and stops at them.
            if codec.id == .xz, let check = head.dropFirst(7).first, check & 15 > 1 {
                throw .initramfs(
                    .unsupported, .foreignStream,
                    "the xz stream has a check that Linux does not know: it takes CRC-32 or none",
                    offset: position)
            }
            guard let end = try readStream(codec, at: position, isWanted) else { return }
            position = end
        }
        guard !result.members.isEmpty else {
            throw .initramfs(.corrupt, .empty, "the image is empty")
        }
    }

    /// Before a member: Linux keeps what it has if this one is damaged.
    private func keepSystem() {
        guard let place = result.tree.resolve(Array("init".utf8), followsLast: true),
            result.tree.nodes[place]?.type == .regular
        else { return }
        system = result.tree
    }

    private func foreign(_ head: [UInt8], at position: UInt64) -> StorageError {
        if position > 0, head.span8.matches(Array("0707".utf8)) {
            return .initramfs(
                .corrupt, .badPadding, "an archive does not begin at a multiple of 4 bytes", offset: position)
        }
        if let codec = Codec.recognised(by: head.span8) {
            return .initramfs(
                .unsupported, .foreignStream, "a stream of \(codec.id) begins, which Linux does not unpack",
                offset: position)
        }
        return .initramfs(
            .corrupt, .badMagic, "neither an archive nor a compressed stream begins", offset: position)
    }

    /// An archive as it lies in the image; where it ends.
    private func readArchive(_ input: inout EntryInput, _ isWanted: Filter) throws(StorageError) -> UInt64 {
        let start = input.position
        let firstEntry = result.entries.count
        defer {
            addMember(
                offset: start, byteCount: input.position - start, codec: nil,
                decoded: input.position - start, firstEntry)
        }
        while try input.next() == UInt8(ascii: "0") {
            isWithinArchive = true
            if try readEntry(&input, offset: input.position, isWanted) {
                isWithinArchive = false
                break
            }
            try input.skipZeros()
            guard let next = try input.next() else { break }
            guard input.position % 4 == 0 else { throw brokenPadding(input.position) }
            if next != UInt8(ascii: "0") { return input.position }
        }
        return input.position
    }

    /// A compressed member; where it ends, or nil when it holds a file system.
    private func readStream(
        _ codec: Codec, at offset: UInt64, _ isWanted: Filter
    ) throws(StorageError) -> UInt64? {
        let stream = try StreamReading(
            codec, source, at: offset, limit: limits.decodedByteCount - decodedByteCount, limits: limits)
        var input = EntryInput(stream)
        let firstEntry = result.entries.count
        isWithinArchive = true
        if offset == 0, let kind = OldRootKind(try input.peek(OldRootKind.headByteCount)) {
            result.fileSystem = kind
            return nil
        }
        defer {
            addMember(
                offset: offset, byteCount: stream.consumedByteCount, codec: codec.id,
                decoded: stream.producedByteCount, firstEntry)
            decodedByteCount += stream.producedByteCount
        }
        while true {
            try input.skipZeros()
            guard let next = try input.next() else { break }
            guard input.position % 4 == 0 else { throw brokenPadding(offset) }
            guard next == UInt8(ascii: "0") else {
                throw .initramfs(
                    .corrupt, .badHeader, "the \(codec.id) stream holds what is no entry", offset: offset,
                    structure: "byte \(input.position) of what it decodes to")
            }
            let isEnd = try readEntry(&input, offset: offset, isWanted)
            // What tells no end has no checksum either: what follows the archive says nothing of it.
            isWithinArchive = !isEnd || codec.marksEnd
        }
        isWithinArchive = false
        return offset + stream.consumedByteCount
    }

    private func brokenPadding(_ offset: UInt64) -> StorageError {
        .initramfs(
            .corrupt, .badPadding, "what follows an entry does not begin at a multiple of 4 bytes",
            offset: offset)
    }

    private func addMember(
        offset: UInt64, byteCount: UInt64, codec: CodecID?, decoded: UInt64, _ firstEntry: Int
    ) {
        let entries = firstEntry..<result.entries.count
        let isEarly =
            codec == nil && result.entries[entries].contains { $0.type == .regular }
            && result.entries[entries].allSatisfy { entry in
                entry.path.isEmpty || entry.path == Array("kernel".utf8)
                    || entry.path.starts(with: Array("kernel/".utf8))
                    || entry.path == Array("early_cpio".utf8)
            }
        result.members.append(
            InitramfsMember(
                offset: offset, byteCount: byteCount, codec: codec, decodedByteCount: decoded,
                entries: entries, isEarly: isEarly))
    }
}
