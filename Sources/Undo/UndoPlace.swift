internal import HostIO
internal import Storage

/// Where undo records lie: beside their files, whatever link those were reached by. A block device has only memory
/// beside it, which a power cut takes; its record lies in a directory of its own choice.
public struct UndoPlace: Sendable {
    /// The directory of the records of block devices.
    public var deviceDirectory: String

    /// Records of block devices in `deviceDirectory`; without it, in the working directory.
    public init(deviceDirectory: String = ".") { self.deviceDirectory = deviceDirectory }

    /// The path of the record of a host file.
    public func recordPath(for file: String) -> String {
        let resolved = HostDirectory.resolved(file) ?? file
        guard let number = HostFile.deviceNumber(of: file) else { return Self.recordPath(ofFile: resolved) }
        let directory = HostDirectory.resolved(deviceDirectory) ?? deviceDirectory
        // The number of a mapped device, which its own name consists of, is another at the next start.
        let mapped = HostFile.text(of: "/sys/dev/block/\(number)/dm/name")?.prefix { $0 != "\n" }
        return "\(directory)/\(mapped.map(String.init) ?? HostPath.name(of: resolved)).undo"
    }

    /// A name has 255 bytes: of a longer one than leaves room the record has the first, and a sum of all.
    private static func recordPath(ofFile path: String) -> String {
        let name = HostPath.name(of: path).hostBytes
        guard name.count > 250 else { return path + ".undo" }
        let short =
            Array(name.prefix(200)) + Array(".\(XXH64.checksum(name.span8).hex.dropFirst(2)).undo".utf8)
        return "\(HostPath.directory(of: path))/\(String(hostBytes: short))"
    }

    /// Throws `refused`, code "record-in-memory", when the record of `file`, a block device, would lie in a file system
    /// that lives in memory.
    func requireLasting(_ file: any ByteFile) throws(StorageError) {
        guard file.hasFixedLength else { return }
        let directory = HostPath.directory(of: recordPath(for: file.path))
        guard HostDirectory.isInMemory(directory) else { return }
        throw StorageError(
            .refused, UndoCode.recordInMemory,
            "the undo record of a block device would lie in \(directory.hostBytes.shellText), which is memory and lost with the power",
            path: file.path, remedies: [.nameUndoDirectory])
    }
}
