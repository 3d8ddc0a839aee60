import GuestTree
import Storage
import TestSupport
import Testing

/// Files read and edited over two volumes in memory: the tree needs volumes and something that holds writes back, and no
/// images.
@Suite struct EditOfVolumesTests {
    /// Volumes of the smallest file system.
    private final class Volumes: GuestVolumes {
        let volumes: [Volume]
        let mainPath: String? = "memory"
        let fileSystemWarnings: [String] = []

        init(_ devices: [MemoryDevice]) {
            volumes = devices.enumerated().map { index, device in
                Volume(
                    name: "p\(index + 1)", location: .partition(disk: 0, number: index + 1), device: device,
                    identity: VolumeIdentity(kind: SmallDriver.kind))
            }
        }

        func fileSystem(on index: Int) throws(StorageError) -> any FileSystem {
            try SmallDriver.open(volumes[index].device, options: .init())
        }

        func volumeIndex(named name: String) throws(StorageError) -> Int {
            volumes.firstIndex { $0.name == name } ?? 0
        }

        func path(ofVolume index: Int) -> String { "memory" }
        func repairTool(ofVolume index: Int) -> String { SmallDriver.repairTool }
        func isFileSystemError(_ error: StorageError) -> Bool { error.layer == SmallDriver.layer }
    }

    /// Writes down what an edit asks of it.
    private final class Recording: ChangeRecording {
        var calls: [String] = []
        func flush() throws(StorageError) { calls.append("flush") }
        func commit() throws(StorageError) { calls.append("commit") }
        func rollBack() { calls.append("back") }

        func rollBack(after error: StorageError) -> StorageError {
            calls.append("back after \(error.code)")
            return error
        }
    }

    private static let root: [String: [UInt8]] = ["etc/hostname": Array("web01".utf8), "data/under": [1]]
    private static let data: [String: [UInt8]] = ["log": Array("old".utf8)]
    private static let mounts: [GuestPath: Int] = ["/": 0, "/data": 1]

    private let devices = [MemoryDevice(SmallDriver.volume(root)), MemoryDevice(SmallDriver.volume(data))]

    private func text(_ path: GuestPath) throws -> String {
        let volumes = Volumes(devices)
        let tree = FileSystemTree(
            mounts: try Self.mounts.map {
                .init(path: $0.key, volume: $0.value, fileSystem: try volumes.fileSystem(on: $0.value))
            })
        let files = GuestFiles(tree: tree, guest: volumes, mountPoints: ["/data": 1])
        var bytes: [UInt8] = []
        try files.forEachPiece(of: try files.find(path)) { (piece) throws(StorageError) in
            bytes += piece.array(0..<piece.byteCount)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func volumesChangeTogether() throws {
        let recording = Recording()
        let edit = GuestEdit(Volumes(devices), mounts: Self.mounts, recording: recording)
        try edit.put(FileContents(Array("web02".utf8)), at: "/etc/hostname")
        try edit.put(FileContents(Array("new".utf8)), at: "/data/log")
        #expect(try text("/etc/hostname") == "web01")
        try edit.commit()
        #expect(recording.calls == ["flush", "commit"])
        #expect(try text("/etc/hostname") == "web02")
        #expect(try text("/data/log") == "new")
        #expect(throws: StorageError.self) { try edit.commit() }
        // Nothing would hold back what comes after the end.
        let late = #expect(throws: StorageError.self) { try edit.put(FileContents([1]), at: "/etc/hostname") }
        #expect(late?.code == "edit-has-ended")
        #expect(recording.calls == ["flush", "commit"])
        let other = GuestEdit(Volumes(devices), mounts: Self.mounts, recording: Recording())
        other.cancel()
        #expect(throws: StorageError.self) { try other.put(FileContents([1]), at: "/data/log") }
        #expect(try text("/data/log") == "new")
    }

    /// The directory beneath a mount is not reached, and what the volume cannot do is refused by name.
    @Test func whatCannotBeDoneIsRefused() throws {
        let recording = Recording()
        do {
            let edit = GuestEdit(Volumes(devices), mounts: Self.mounts, recording: recording)
            let hidden = #expect(throws: StorageError.self) {
                try edit.put(FileContents([2]), at: "/data/under")
            }
            #expect(hidden?.isCode(GuestCode.changeNotSupported) == true)
            let mount = #expect(throws: StorageError.self) { try edit.remove("/data", recursively: true) }
            #expect(mount?.isCode(GuestCode.mountPoint) == true)
            let remove = #expect(throws: StorageError.self) { try edit.remove("/etc/hostname") }
            #expect(remove?.isCode(GuestCode.changeNotSupported) == true)
            #expect(remove?.message.contains("p1 (smallfs)") == true)
            #expect(recording.calls == [])
            withExtendedLifetime(edit) {}
        }
        // Let go of without a commit.
        #expect(recording.calls == ["back"])
        #expect(try text("/etc/hostname") == "web01")
    }
}
