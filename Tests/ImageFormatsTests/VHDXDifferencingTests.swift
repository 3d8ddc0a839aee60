import Foundation
import HostIO
import ImageFormats
import Storage
import TestSupport
import Testing

/// No other tool here reads these right: judged by a flat copy kept beside.
struct VHDXDifferencingTests {
    private let siblings = ReferencePolicy(allowsSiblings: true)

    private func pair(
        _ directory: TemporaryDirectory, seed: UInt64, sectorSize: UInt32 = 512, blockSize: String = "1M"
    ) throws -> (parent: String, child: String, flat: String) {
        let flat = try scatteredDisk(directory, "flat", byteCount: 20 << 20, seed: seed)
        let parent = directory.path("base.vhdx")
        let made = try VHDXDriver.create(
            parent, byteCount: 20 << 20, options: ImageCreateOptions(sectorSize: sectorSize))
        try copyIn(flat, made.disk)
        let child = directory.path("child.avhdx")
        let options = ImageCreateOptions(values: [("block_size", blockSize)], parent: parent)
        try VHDXDriver.create(child, byteCount: 0, options: options).disk.flush()
        return (parent, child, flat)
    }

    @Test func aParentThatWasWrittenToIsNotTheParentAnyMore() throws {
        let directory = try TemporaryDirectory()
        let (parent, child, _) = try pair(directory, seed: 45)
        #expect(try open(child, .read, siblings).disk.byteCount == 20 << 20)
        let base = try open(parent, .write)
        // Opening it is harmless; the first write is not.
        #expect(try open(child, .read, siblings).disk.byteCount == 20 << 20)
        try base.disk.write([1], at: 0)
        try base.disk.flush()
        #expect(
            #expect(throws: StorageError.self) { try open(child, .read, siblings) }?.code == "parent-mismatch"
        )
    }

    @Test func statesOfAChildsBlocks() throws {
        let directory = try TemporaryDirectory()
        let (_, child, flatPath) = try pair(directory, seed: 46)
        let flat = try HostFile.open(flatPath, locking: .ignore)
        var bytes = try fileBytes(child)
        // Blocks 0 to 4: the parent's, and zeros in all ways there are.
        for (block, state) in [0, 1, 2, 3, 5].enumerated() {
            bytes.storeLittle(UInt64(state), at: VHDXFixture.table + block * 8)
        }
        // Partly here, and no bitmap.
        bytes.storeLittle(UInt64(4 << 20 | 7), at: VHDXFixture.table + 5 * 8)
        bytes += [UInt8](repeating: 0x77, count: 1 << 20)
        try directory.write("child.avhdx", bytes)
        let disk = try open(child, .write, siblings).disk
        #expect(isSame(try disk.bytes(at: 0, count: 1 << 20), try flat.bytes(at: 0, count: 1 << 20)))
        for block in 1...4 as ClosedRange<UInt64> {
            #expect(try disk.nextExtent(at: block << 20).kind == .zero)
        }
        #expect(
            #expect(throws: StorageError.self) { try disk.bytes(at: 5 << 20, count: 1) }?.code
                == "sector-bitmap-missing")
        // Writing a sector of a zero block does not bring the parent's other sectors back.
        try disk.write([1, 2, 3], at: 2 << 20 | 5000)
        try disk.flush()
        var expected = [UInt8](repeating: 0, count: 1 << 20)
        expected.replaceSubrange(5000..<5003, with: [1, 2, 3])
        #expect(isSame(try open(child, .read, siblings).disk.bytes(at: 2 << 20, count: 1 << 20), expected))
    }

    @Test func aBlockThatIsFilledBecomesAWholeOne() throws {
        let directory = try TemporaryDirectory()
        let (_, child, _) = try pair(directory, seed: 47)
        let disk = try open(child, .write, siblings).disk
        let half = [UInt8](repeating: 6, count: 1 << 19)
        try disk.write(half, at: 3 << 20)
        try disk.flush()
        let table = VHDXFixture.table
        #expect(try fileBytes(child)[table + 24] == 7)
        try disk.write(half, at: 3 << 20 | 1 << 19)
        try disk.flush()
        #expect(try fileBytes(child)[table + 24] == 6)
        // Whole from the start: no bitmap is needed.
        try disk.write(half + half, at: 9 << 20)
        try disk.flush()
        #expect(try fileBytes(child)[table + 72] == 6)
        #expect(try open(child, .read, siblings).disk.bytes(at: 9 << 20, count: 1) == [6])
    }

    @Test func whatItNamesIsToldAndCyclesEnd() throws {
        let directory = try TemporaryDirectory()
        let (parent, child, _) = try pair(directory, seed: 48)
        #expect(#expect(throws: StorageError.self) { try open(child) }?.code == "reference-refused")
        #expect(try ImageProbe.describe(child).references.map(\.name) == [".\\base.vhdx"])
        let named = ReferencePolicy(allowsSiblings: false, parent: parent)
        #expect(try open(child, .read, named).disk.byteCount == 20 << 20)
        // Its own parent.
        var bytes = try fileBytes(child)
        let own = bytes[VHDXFixture.headers[1] + 32..<VHDXFixture.headers[1] + 48]
        let linkage = UUID16(mixedEndian: Array(own).span8, at: 0).description
        func utf16(_ text: String) -> [UInt8] {
            text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), 0 as UInt8] }
        }
        let text = utf16("{\(linkage)}")
        // As long as the parent's, so that nothing moves.
        let name = utf16("child.avhdx")
        let locator = VHDXFixture.metadata + 65536 + 40
        let linkageAt = locator + Int(bytes.little(locator + 24, as: UInt32.self))
        let nameAt = locator + Int(bytes.little(locator + 36, as: UInt32.self))
        bytes.replaceSubrange(linkageAt..<linkageAt + text.count, with: text)
        bytes.replaceSubrange(nameAt..<nameAt + name.count, with: name)
        let path = try directory.write("cycle/child.avhdx", bytes)
        #expect(
            #expect(throws: StorageError.self) { try open(path, .read, siblings) }?.code == "parent-cycle")
    }
}
