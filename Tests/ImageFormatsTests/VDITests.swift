import Foundation
import HostIO
import ImageFormats
import Storage
import TestSupport
import Testing

/// VDI files changed by hand, field by field. Offsets as in VirtualBox's header.
private enum VDIFixture {
    static let map = 512
    static let data = 1 << 20

    /// A dynamic disk of 8 MiB with data in blocks 5 and 0, in this order, as bytes.
    static func dynamic(_ directory: TemporaryDirectory) throws -> [UInt8] {
        // Not among the tests' own files: a copy of a parent is the parent.
        let path = directory.path("fixture-\(UInt64.random(in: 0 ... .max))")
        let image = try VDIDriver.create(path, byteCount: 8 << 20, options: ImageCreateOptions())
        for block in [5, 0] as [UInt64] {
            try image.disk.write(SeededBytes.block(70_000, seed: block), at: block << 20 | 5000)
        }
        try image.disk.flush()
        return try fileBytes(path)
    }

    static func code(_ path: String, _ access: FileAccess = .read) -> String? {
        do {
            let disk = try open(path, access, ReferencePolicy(allowsSiblings: true)).disk
            if access == .write { try disk.write([1], at: 0) }
            return nil
        } catch { return (error as? StorageError)?.code }
    }
}

struct VDITests {
    private let siblings = ReferencePolicy(allowsSiblings: true)

    @Test(.enabled(if: SharedSamples.present, "the shared samples are not beside the repository"))
    func theSampleReadsAsKnown() throws {
        let directory = try TemporaryDirectory()
        let image = try open(try SharedSamples.unpack("formats/dissect/basic.vdi.gz", into: directory))
        #expect(image.info.format == .vdi && image.info.variant == "dynamic")
        #expect(image.info.creator == "QEMU VM Virtual Disk Image")
        #expect(image.disk.byteCount == 10 << 20)
        #expect(try image.disk.nextExtent(at: 0) == Extent(range: 0..<1 << 20, kind: .zero))
        let hash = "92d551781f9b62f3c8601ffd375cc7547efb1127e3cd2acc652f50f2d31afb8c"
        #expect(try guestHash(image.disk, directory) == hash)
    }

    @Test func headersThatCannotBeAreNamed() throws {
        let directory = try TemporaryDirectory()
        let good = try VDIFixture.dynamic(directory)
        func code(_ name: String, _ change: (inout [UInt8]) -> Void) throws -> String? {
            var bytes = good
            change(&bytes)
            let path = try directory.write("\(name).vdi", bytes)
            let error = #expect(throws: StorageError.self) {
                try ImageProbe.open(path, format: .vdi, options: ImageOpenOptions(locking: .ignore))
            }
            // The check says the same, or that it is another format's matter.
            var found: [String] = []
            try? ImageProbe.check(path, format: .vdi, locking: .ignore) {
                if $0.severity == .damage { found.append($0.code) }
            }
            if error?.kind == .corrupt { #expect(found == [error?.code]) }
            return error?.code
        }
        #expect(try code("short") { $0.removeLast($0.count - 511) } == "truncated-header")
        #expect(try code("signature") { $0[64] = 0 } == "bad-signature")
        #expect(try code("version") { $0.storeLittle(UInt32(0x2_0000), at: 68) } == "unknown-version")
        #expect(try code("old") { $0.storeLittle(UInt32(1), at: 68) } == "unknown-version")
        #expect(try code("size") { $0.storeLittle(UInt32(100), at: 72) } == "header-size")
        #expect(try code("type") { $0.storeLittle(UInt32(9), at: 76) } == "unknown-type")
        #expect(try code("sector") { $0.storeLittle(UInt32(4096), at: 360) } == "sector-size")
        for size in [0, 3, 512, 3 << 20, 512 << 20] as [UInt32] {
            #expect(try code("block") { $0.storeLittle(size, at: 376) } == "block-size")
        }
        #expect(try code("extra") { $0.storeLittle(UInt32(100), at: 380) } == "block-size")
        #expect(try code("empty") { $0.storeLittle(UInt64(0), at: 368) } == "disk-size")
        #expect(try code("odd") { $0.storeLittle(UInt64(1000), at: 368) } == "disk-size")
        #expect(try code("large") { $0.storeLittle(UInt64.max - 511, at: 368) } == "block-count")
        #expect(try code("many") { $0.storeLittle(UInt32.max, at: 384) } == "block-count")
        #expect(try code("map") { $0.storeLittle(UInt32(400), at: 340) } == "map-place")
        #expect(try code("far") { $0.storeLittle(UInt32.max - 3, at: 340) } == "map-place")
        #expect(try code("data") { $0.storeLittle(UInt32(512), at: 344) } == "data-place")
        #expect(try code("outside") { $0.storeLittle(UInt32(7), at: VDIFixture.map) } == "block-outside-file")
        #expect(try code("cut") { $0.removeLast(1 << 20) } == "block-outside-file")
        #expect(try code("twice") { $0.storeLittle(UInt32(0), at: VDIFixture.map) } == "blocks-overlap")
    }

    /// Both entries of blocks without a place, in a disk and in a child.
    @Test func blocksOfZerosAndOfNothing() throws {
        let directory = try TemporaryDirectory()
        var bytes = try VDIFixture.dynamic(directory)
        bytes.storeLittle(UInt32.max - 1, at: VDIFixture.map + 4)
        let parent = try directory.write("base.vdi", bytes)
        let base = try open(parent).disk
        #expect(try base.nextExtent(at: 1 << 20) == Extent(range: 1 << 20..<5 << 20, kind: .zero))
        #expect(VDIFixture.code(parent) == nil)
        let path = directory.path("child.vdi")
        do {
            let child = try VDIDriver.create(path, byteCount: 0, options: ImageCreateOptions(parent: parent))
            #expect(child.info.variant == "differencing")
            try child.disk.flush()
        }
        var child = try fileBytes(path)
        child.storeLittle(UInt32.max - 1, at: VDIFixture.map + 5 * 4)
        try directory.write("child.vdi", child)
        let disk = try open(path, .write, siblings).disk
        // The parent has data there.
        #expect(try disk.nextExtent(at: 5 << 20).kind == .zero)
        #expect(try disk.bytes(at: 5000, count: 100) == base.bytes(at: 5000, count: 100))
        // Neither comes back when a part is written.
        try disk.write([7], at: 5 << 20 | 9)
        try disk.write([8], at: 9)
        try disk.flush()
        let again = try open(path, .read, siblings).disk
        var expected = [UInt8](repeating: 0, count: 1 << 20)
        expected[9] = 7
        #expect(isSame(try again.bytes(at: 5 << 20, count: 1 << 20), expected))
        expected = try base.bytes(at: 0, count: 1 << 20)
        expected[9] = 8
        #expect(isSame(try again.bytes(at: 0, count: 1 << 20), expected))
    }

    /// Bytes in front of each block are somebody else's: read over, and never written.
    @Test func blocksWithBytesInFront() throws {
        let directory = try TemporaryDirectory()
        let whole = try VDIFixture.dynamic(directory)
        let plain = try open(try directory.write("plain.vdi", whole)).disk.bytes(at: 0, count: 8 << 20)
        var bytes = Array(whole[..<VDIFixture.data])
        bytes.storeLittle(UInt32(512), at: 380)
        for start in stride(from: VDIFixture.data, to: whole.count, by: 1 << 20) {
            bytes += [UInt8](repeating: 0xee, count: 512) + whole[start..<start + 1 << 20]
        }
        let path = try directory.write("extra.vdi", bytes)
        try BlockDeviceSuite.reads(try open(path).disk, plain)
        #expect(VDIFixture.code(path, .write) == "block-extra")
        #expect(isSame(try fileBytes(path), bytes))
    }

    /// VirtualBox puts its next block behind as many as the header counts.
    @Test func theCountOfBlocksIsKept() throws {
        let directory = try TemporaryDirectory()
        var bytes = try VDIFixture.dynamic(directory)
        #expect(bytes.little(388, as: UInt32.self) == 2)
        bytes.storeLittle(UInt32(1), at: 388)
        let path = try directory.write("disk.vdi", bytes)
        var codes: [String] = []
        try ImageProbe.check(path, locking: .ignore) { codes.append($0.code) }
        #expect(codes == ["allocated-count"])
        // A change sets it right, and takes the space again that nobody names.
        bytes.storeLittle(UInt32(3), at: 388)
        bytes += [UInt8](repeating: 0x77, count: 1 << 20)
        try directory.write("disk.vdi", bytes)
        var leaks: [Finding] = []
        try ImageProbe.check(path, locking: .ignore) { leaks.append($0) }
        #expect(leaks.map(\.severity) == [.leak] && leaks.map(\.code) == ["leaked-space"])
        let disk = try open(path, .write).disk
        try disk.write([1], at: 3 << 20)
        try disk.flush()
        let after = try fileBytes(path)
        #expect(after.count == bytes.count && after.little(388, as: UInt32.self) == 3)
        var expected = [UInt8](repeating: 0, count: 1 << 20)
        expected[0] = 1
        #expect(isSame(try open(path).disk.bytes(at: 3 << 20, count: 1 << 20), expected))
        try ImageProbe.check(path, locking: .ignore) { Issue.record("\($0)") }
    }

    @Test func aParentThatWasWrittenToIsNotTheParentAnyMore() throws {
        let directory = try TemporaryDirectory()
        let parent = try directory.write("base.vdi", try VDIFixture.dynamic(directory))
        let path = directory.path("child.vdi")
        try VDIDriver.create(path, byteCount: 0, options: ImageCreateOptions(parent: parent)).disk.flush()
        let base = try open(parent, .write)
        // Opening it is harmless; the first write is not.
        #expect(VDIFixture.code(path) == nil)
        try base.disk.write([1], at: 5000)
        try base.disk.flush()
        #expect(VDIFixture.code(path) == "parent-mismatch")
        let named = ReferencePolicy(allowsSiblings: false, parent: parent)
        let error = #expect(throws: StorageError.self) { try open(path, .read, named) }
        #expect(error?.code == "parent-mismatch")
    }

    /// Its own parent, and one of another format.
    @Test func parentsThatCannotBe() throws {
        let directory = try TemporaryDirectory()
        let parent = try directory.write("base.vdi", try VDIFixture.dynamic(directory))
        let path = directory.path("child.vdi")
        try VDIDriver.create(path, byteCount: 0, options: ImageCreateOptions(parent: parent)).disk.flush()
        var bytes = try fileBytes(path)
        bytes.replaceSubrange(424..<440, with: bytes[392..<408])
        bytes.replaceSubrange(440..<456, with: bytes[408..<424])
        try directory.write("child.vdi", bytes)
        #expect(VDIFixture.code(path) == "parent-cycle")
        let raw = try directory.write("base.raw", [UInt8](repeating: 0, count: 1 << 20))
        let error = #expect(throws: StorageError.self) {
            try open(path, .read, ReferencePolicy(allowsSiblings: false, parent: raw))
        }
        #expect(error?.code == "parent-mismatch")
        for options in [[("static", "on")], [("static", "perhaps")]] {
            #expect(throws: StorageError.self) {
                try VDIDriver.create(
                    directory.path("x.vdi"), byteCount: 0,
                    options: ImageCreateOptions(
                        values: options.map { (key: $0.0, value: $0.1) }, parent: parent))
            }
        }
    }

    /// A map with room for no more entries; a size that no map has room for.
    @Test func growthThatTheMapCannotTakeIsRefused() throws {
        let directory = try TemporaryDirectory()
        var bytes = try VDIFixture.dynamic(directory)
        // As qemu lays it: data right behind the map.
        bytes.removeSubrange(1024..<VDIFixture.data)
        bytes.storeLittle(UInt32(1024), at: 344)
        let path = try directory.write("tight.vdi", bytes)
        #expect(VDIFixture.code(path) == nil)
        let image = try open(path, .write)
        let error = #expect(throws: StorageError.self) { try ImageProbe.grow(image, to: 200 << 20) }
        #expect(error?.code == "map-full" && error?.remedies == [.convert(options: [])])
        #expect(isSame(try fileBytes(path), bytes))
        try ImageProbe.grow(image, to: 100 << 20)
        #expect(try open(path).disk.byteCount == 100 << 20)
        let new = #expect(throws: StorageError.self) {
            try VDIDriver.create(
                directory.path("huge.vdi"), byteCount: 65 << 40, options: ImageCreateOptions())
        }
        #expect(new?.code == "disk-size")
    }

    @Test(arguments: 1...3 as ClosedRange<UInt64>)
    func damagedDisksAreToldOrRead(seed: UInt64) throws {
        let directory = try TemporaryDirectory()
        let bytes = try VDIFixture.dynamic(directory)
        try ImageFuzz.run(
            bytes, regions: [64..<80, 340..<460, 512..<544], count: 60, seed: seed, format: .vdi,
            name: "fuzz.vdi", directory
        ) { $0.replaceSubrange(64..<72, with: bytes[64..<72]) }
    }
}
