import HostIO
import ImageFormats
import Storage
import TestSupport
import Testing

struct GrowRefusalTests {
    private func code(
        _ path: String, to size: UInt64, _ references: ReferencePolicy = .refuse
    ) throws -> String? {
        let before = try fileBytes(path)
        do throws(StorageError) {
            let options = ImageOpenOptions(access: .write, locking: .ignore, references: references)
            try ImageProbe.grow(try ImageProbe.open(path, options: options), to: size)
            return nil
        } catch {
            #expect(isSame(try fileBytes(path), before))
            return error.code
        }
    }

    private func make(
        _ directory: TemporaryDirectory, _ name: String, _ size: UInt64, parent: String? = nil,
        _ options: [(key: String, value: String)] = []
    ) throws -> String {
        let path = directory.path(name)
        let driver = try ImageProbe.driver(for: try #require(ImageFormat(suffixOf: name)))
        try driver.create(
            path, byteCount: size, options: ImageCreateOptions(values: options, parent: parent)
        ).disk.flush()
        return path
    }

    @Test(arguments: ["disk.img", "disk.vhd", "disk.vhdx", "disk.vmdk", "disk.qcow2"])
    func noDiskIsMadeShorter(_ name: String) throws {
        let directory = try TemporaryDirectory()
        let path = try make(directory, name, 8 << 20)
        #expect(try code(path, to: 4 << 20) == "shrink")
        // The same size is nothing to do.
        #expect(try code(path, to: 8 << 20) == nil)
    }

    @Test func limitsOfTheFormats() throws {
        let directory = try TemporaryDirectory()
        #expect(try code(try make(directory, "a.vhd", 1 << 20), to: 2040 << 30 + 512) == "size-too-large")
        #expect(try code(try make(directory, "b.vhdx", 1 << 20), to: 64 << 40 + 512) == "disk-size")
        #expect(try code(try make(directory, "c.vmdk", 1 << 20), to: 2 << 40) == "file-full")
        let small = try make(directory, "d.qcow2", 1 << 20, [("cluster_size", "512")])
        #expect(try code(small, to: 1 << 40) == "resize-limit")
        // The largest VHD.
        let large = try make(directory, "e.vhd", 1 << 20)
        #expect(try code(large, to: 2040 << 30) == nil)
        #expect(try open(large).disk.byteCount == 2040 << 30)
    }

    @Test func aChildsParentMustNotShowThrough() throws {
        let directory = try TemporaryDirectory()
        let siblings = ReferencePolicy(allowsSiblings: true)
        let base = try make(directory, "base.vhd", 8 << 20)
        let child = try make(directory, "child.vhd", 4 << 20, parent: base)
        #expect(try code(child, to: 6 << 20, siblings) == "parent-longer")
        // XenServer makes children longer than their parents.
        let equal = try make(directory, "equal.vhd", 0, parent: base)
        #expect(try code(equal, to: 12 << 20, siblings) == nil)
        #expect(try open(equal, .read, siblings).disk.bytes(at: 8 << 20, count: 4096).allSatisfy { $0 == 0 })
        let vhdx = try make(directory, "base.vhdx", 8 << 20)
        let difference = try make(directory, "child.vhdx", 0, parent: vhdx)
        #expect(try code(difference, to: 12 << 20, siblings) == "differencing-resize")
    }

    /// A writer that cuts the last block off at the disk's end left no room for the rest of it.
    @Test func aLastBlockWithoutRoomStays() throws {
        let directory = try TemporaryDirectory()
        let path = try make(directory, "disk.vhd", 3 << 20)
        let image = try open(path, .write)
        try image.disk.write([1], at: 2 << 20)
        try image.disk.flush()
        var bytes = try fileBytes(path)
        let footer = Array(bytes.suffix(512))
        bytes.removeLast(512 + (1 << 20))
        try directory.write("disk.vhd", bytes + footer)
        #expect(try open(path).disk.byteCount == 3 << 20)
        #expect(try code(path, to: 8 << 20) == "last-block-cut")
    }

    @Test(.enabled(if: Tool.has("qemu-img"), "qemu-utils is not installed"))
    func streamsSnapshotsAndPartsAreRefusedByName() throws {
        let directory = try TemporaryDirectory()
        let flat = try scatteredDisk(directory, "flat", byteCount: 4 << 20, seed: 8)
        let stream = directory.path("stream.vmdk")
        try Tool.run(
            "qemu-img", ["convert", "-O", "vmdk", "-o", "subformat=streamOptimized", flat, stream])
        #expect(try code(stream, to: 8 << 20) == "stream-optimized")
        let parts = directory.path("parts.vmdk")
        try Tool.run(
            "qemu-img", ["create", "-q", "-f", "vmdk", "-o", "subformat=twoGbMaxExtentSparse", parts, "3G"])
        #expect(try code(parts, to: 8 << 30) == "resize-of-parts")
        let snapshots = directory.path("snapshots.qcow2")
        try Tool.run("qemu-img", ["convert", "-O", "qcow2", flat, snapshots])
        try Tool.run("qemu-img", ["snapshot", "-c", "one", snapshots])
        #expect(try code(snapshots, to: 8 << 20) == "snapshots")
        // Another disk's bytes behind the extent would show.
        let whole = try make(directory, "whole.vmdk", 1 << 20, [("subformat", "monolithicFlat")])
        try HostFile.open(directory.path("whole-flat.vmdk"), access: .write).truncate(to: 2 << 20)
        #expect(try code(whole, to: 4 << 20) == "bytes-behind-extent")
    }

    /// A map that lies on a block device.
    @Test func aBatmapMovesWithItsTable() throws {
        let directory = try TemporaryDirectory()
        let path = try make(directory, "disk.vhd", 1 << 20, [("block_size", "4K")])
        // Behind the table of 256 entries: a batmap of one sector that says block 0 is whole.
        do {
            let image = try open(path, .write)
            try image.disk.write([UInt8](repeating: 7, count: 4096), at: 0)
            try image.disk.flush()
        }
        var bytes = try fileBytes(path)
        let tableEnd = 1536 + 1024
        // Blocks lie behind; the batmap's map goes to the file's end, in front of the footer.
        let footer = Array(bytes.suffix(512))
        bytes.removeLast(512)
        let mapOffset = bytes.count
        var map = [UInt8](repeating: 0, count: 512)
        map[0] = 0x80
        var header = [UInt8](repeating: 0, count: 512)
        header.replaceSubrange(0..<8, with: Array("tdbatmap".utf8))
        header.storeBig(UInt64(mapOffset), at: 8)
        header.storeBig(UInt32(1), at: 16)
        header.storeBig(UInt32(0x0001_0002), at: 20)
        header.storeBig(~UInt32(0x80), at: 24)
        bytes.replaceSubrange(tableEnd..<tableEnd + 512, with: header)
        try directory.write("disk.vhd", bytes + map + footer)
        #expect(try code(path, to: 3 << 20) == nil)
        let grown = try fileBytes(path)
        let table = Int(grown.big(512 + 16, as: UInt64.self))
        let moved = table + Int(grown.big(512 + 28, as: UInt32.self)) * 4
        let place = (moved + 511) / 512 * 512
        #expect(grown[place..<place + 8] == ArraySlice(Array("tdbatmap".utf8)))
        #expect(grown.big(place + 8, as: UInt64.self) == UInt64(place + 512))
        #expect(grown[place + 512] == 0x80)
        var found: [String] = []
        try ImageProbe.check(path) { found.append($0.code) }
        #expect(!found.contains("batmap-lies"))
        #expect(try open(path).disk.bytes(at: 0, count: 4096) == [UInt8](repeating: 7, count: 4096))
    }
}
