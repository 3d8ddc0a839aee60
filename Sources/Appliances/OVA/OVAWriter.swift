package import Storage
internal import Synchronization

/// Writes an OVA: the description, the manifest, then the disks in their order, each from its first byte to its last. The first
/// two know the lengths and digests of the others, so that room is kept for them.
///
///     let writer = try OVAWriter(file, descriptionByteCount: …, description: "web.ovf", disks: ["web-disk1.vmdk"])
///     let output = writer.begin("web-disk1.vmdk")     // takes the disk's bytes
///     let byteCount = try writer.end()
///     try writer.finish(text)
package final class OVAWriter: ByteOutput {
    private let file: any ByteFile
    private let description: String
    private let descriptionByteCount: Int
    private let disks: [String]
    private let state: Mutex<State>

    /// The archive's path.
    package var path: String { file.path }

    // What lies here has no other owner.
    private struct RunningDigest: @unchecked Sendable {
        let digest: Digest
    }

    private struct State {
        var position: UInt64
        /// Where the contents of the disk that is written begin.
        var start: UInt64 = 0
        var digest: RunningDigest?
        var lines: [Manifest.Line] = []
    }

    /// An archive in an empty file, with room for a description of at most `descriptionByteCount` bytes.
    package init(
        _ file: any ByteFile, description: String, descriptionByteCount: Int, disks: [String]
    ) throws(StorageError) {
        self.file = file
        self.description = description
        self.descriptionByteCount = descriptionByteCount
        self.disks = disks
        for name in disks { _ = try ArchiveHeader.bytes(name: name, byteCount: 0) }
        let manifest = UInt64(Self.manifestByteCount([description] + disks))
        let first = 512 + UInt64(descriptionByteCount)
        let second = 512 + manifest
        let start =
            first + UInt64(ArchiveHeader.padding(first).count) + second
            + UInt64(ArchiveHeader.padding(second).count)
        state = Mutex(State(position: start))
    }

    /// `SHA256(NAME)= ` and 64 digits and a line end, for each.
    private static func manifestByteCount(_ names: [String]) -> Int {
        names.reduce(0) { $0 + $1.hostBytes.count + 75 }
    }

    /// The name of the manifest, which goes by the description's.
    private var manifestName: String { String(description.dropLast(4)) + ".mf" }

    /// Begins the next disk; `append` takes its bytes.
    package func begin() throws(StorageError) {
        let digest = RunningDigest(digest: try Digest(.sha256))
        state.withLock { state in
            state.start = state.position + 512
            state.position = state.start
            state.digest = digest
        }
    }

    package func append(_ bytes: RawSpan) throws(StorageError) {
        let position = state.withLock { state in
            state.digest?.digest.update(bytes)
            defer { state.position += UInt64(bytes.byteCount) }
            return state.position
        }
        try file.write(bytes, at: position)
    }

    package func startWriteback() { file.startWriteback() }

    /// Nothing: the archive is durable when it is whole.
    package func flush() throws(StorageError) {}

    /// Ends a disk and says how many bytes it has.
    @discardableResult
    package func end() throws(StorageError) -> UInt64 {
        let (start, position, name) = state.withLock { state in
            let name = disks[state.lines.count]
            let digest = state.digest?.digest.finish() ?? ""
            state.lines.append(Manifest.Line(algorithm: .sha256, name: name, digest: digest))
            state.digest = nil
            return (state.start, state.position, name)
        }
        let byteCount = position - start
        let padding = ArchiveHeader.padding(byteCount)
        try file.write(try ArchiveHeader.bytes(name: name, byteCount: byteCount), at: start - 512)
        if !padding.isEmpty { try file.write(padding, at: position) }
        state.withLock { $0.position = position + UInt64(padding.count) }
        return byteCount
    }

    /// Writes the description and the manifest into their room, ends the archive and makes it durable. Throws `misuse` for a
    /// description that is longer than was said.
    package func finish(_ text: String) throws(StorageError) {
        var bytes = Array(text.utf8)
        guard bytes.count <= descriptionByteCount else {
            throw .appliance(.misuse, .description, "the description is longer than its room")
        }
        // Line ends behind the last element mean nothing.
        bytes += [UInt8](repeating: 10, count: descriptionByteCount - bytes.count)
        let digest = try Digest(.sha256)
        digest.update(bytes.span8)
        let (lines, position) = state.withLock { ($0.lines, $0.position) }
        let all = [Manifest.Line(algorithm: .sha256, name: description, digest: digest.finish())] + lines
        let manifest = Manifest(lines: all).bytes
        var head = try ArchiveHeader.bytes(name: description, byteCount: UInt64(bytes.count)) + bytes
        head += ArchiveHeader.padding(UInt64(bytes.count))
        head += try ArchiveHeader.bytes(name: manifestName, byteCount: UInt64(manifest.count)) + manifest
        head += ArchiveHeader.padding(UInt64(manifest.count))
        try file.write(head, at: 0)
        try file.write(ArchiveHeader.end, at: position)
        try file.flush()
    }
}
