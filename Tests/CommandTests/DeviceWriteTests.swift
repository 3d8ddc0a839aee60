import Storage
import TestSupport
import Testing

@testable import DiskGraft

/// Changes of volumes without a file system: none is left out in silence.
struct DeviceWriteTests {
    private static func swap(in directory: TemporaryDirectory) throws -> String {
        let path = try directory.sparse("swap.img", byteCount: 1 << 20)
        try Tool.run("mkswap", ["-q", path])
        return path
    }

    @Test func aVolumeWithoutTheMeansToWriteIsRefused() throws {
        let directory = try TemporaryDirectory()
        defer { withExtendedLifetime(directory) {} }
        let opened = try Guest.open([Self.swap(in: directory)], options: ImageOptions(format: .raw))
        let guest = try opened.seen(through: opened.devices.map { ReadOnlyDevice($0) })
        let error = #expect(throws: StorageError.self) {
            try guest.edit(volume: guest.volumes[0].name) { (edit) throws(StorageError) in
                try edit.setLabel(Array("new".utf8))
            }
        }
        #expect(error?.code == "read-only" && error?.path == guest.images[0].path)
    }

    @Test func anImageOpenedForReadingIsRefused() throws {
        let directory = try TemporaryDirectory()
        defer { withExtendedLifetime(directory) {} }
        let guest = try Guest.open([Self.swap(in: directory)], options: ImageOptions(format: .raw))
        #expect(!guest.volumes[0].device.isWritable)
        let error = #expect(throws: StorageError.self) {
            try guest.edit(volume: guest.volumes[0].name) { (edit) throws(StorageError) in
                try edit.setLabel(Array("new".utf8))
            }
        }
        #expect(error?.kind == .misuse && error?.code == "read-only")
    }
}

/// A device without the means to write.
private final class ReadOnlyDevice: BlockDevice {
    private let base: any BlockDevice
    var byteCount: UInt64 { base.byteCount }
    var sectorSize: UInt32 { base.sectorSize }
    var hostFiles: [any ByteFile] { base.hostFiles }
    init(_ base: any BlockDevice) { self.base = base }
    func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        try base.read(into: &target, at: offset)
    }
    func nextExtent(at offset: UInt64) throws(StorageError) -> Extent { try base.nextExtent(at: offset) }
}
