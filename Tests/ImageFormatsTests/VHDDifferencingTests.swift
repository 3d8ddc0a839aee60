import Foundation
import ImageFormats
import Storage
import TestSupport
import Testing

struct VHDDifferencingTests {
    private let siblings = ReferencePolicy(allowsSiblings: true)

    /// A parent with data, a child of it with more, and a flat copy of what the child shows.
    private func pair(_ directory: TemporaryDirectory, seed: UInt64, parentFixed: Bool = false) throws -> (
        parent: String, child: String, flat: String
    ) {
        let flat = try scatteredDisk(directory, "flat", byteCount: 20 << 20, seed: seed)
        let parent = directory.path("base.vhd")
        try Tool.run(
            "qemu-img",
            [
                "convert", "-f", "raw", "-O", "vpc", "-o",
                "force_size,subformat=\(parentFixed ? "fixed" : "dynamic")", flat, parent,
            ])
        let child = directory.path("child.vhd")
        try VHDDriver.create(child, byteCount: 0, options: ImageCreateOptions(parent: parent)).disk.flush()
        return (parent, child, flat)
    }

    private func write(
        _ count: Int, _ disk: Image, _ flat: HostFile, _ random: inout SeededRandom, flushing: Bool = false
    ) throws {
        for _ in 0..<count {
            let length = Int.random(in: 1...90_000, using: &random)
            let offset = UInt64.random(in: 0...disk.byteCount - UInt64(length), using: &random)
            let bytes = random.block(length)
            try disk.write(bytes, at: offset)
            try flat.write(bytes, at: offset)
            if flushing { try disk.flush() }
        }
        try disk.flush()
    }

    @Test(arguments: [true, false])
    func writesOverAParentMatchAFlatCopy(parentFixed: Bool) throws {
        let directory = try TemporaryDirectory()
        let (parent, child, flatPath) = try pair(directory, seed: 11, parentFixed: parentFixed)
        let before = try fileBytes(parent)
        let flat = try HostFile.open(flatPath, access: .write, locking: .ignore)
        var random = SeededRandom(12)
        for session in 0..<4 {
            let image = try open(child, .write, siblings)
            #expect(image.info.variant == "differencing")
            try write(12, image.disk, flat, &random, flushing: session == 1)
        }
        let image = try open(child, .read, siblings)
        let back = directory.path("back")
        try copyOut(image.disk, to: back)
        try Tool.run("cmp", [flatPath, back])
        #expect(try fileBytes(parent) == before)
        // Named outright, wherever it lies.
        try FileManager.default.createDirectory(
            atPath: directory.path("away"), withIntermediateDirectories: true)
        try FileManager.default.moveItem(atPath: parent, toPath: directory.path("away/other.vhd"))
        #expect(throws: StorageError.self) { try open(child, .read, siblings) }
        let named = ReferencePolicy(allowsSiblings: false, parent: directory.path("away/other.vhd"))
        #expect(
            try open(child, .read, named).disk.bytes(at: 0, count: 5000) == flat.bytes(at: 0, count: 5000))
    }

    @Test func chainsOfThree() throws {
        let directory = try TemporaryDirectory()
        let (_, child, flatPath) = try pair(directory, seed: 13)
        let flat = try HostFile.open(flatPath, access: .write, locking: .ignore)
        var random = SeededRandom(14)
        try write(10, try open(child, .write, siblings).disk, flat, &random)
        let top = directory.path("top.vhd")
        try VHDDriver.create(top, byteCount: 0, options: ImageCreateOptions(parent: child)).disk.flush()
        try write(10, try open(top, .write, siblings).disk, flat, &random)
        let back = directory.path("back")
        try copyOut(try open(top, .read, siblings).disk, to: back)
        try Tool.run("cmp", [flatPath, back])
    }

    @Test func nothingIsOpenedUnasked() throws {
        let directory = try TemporaryDirectory()
        let (parent, child, _) = try pair(directory, seed: 15)
        let refused = #expect(throws: StorageError.self) { try open(child) }
        #expect(refused?.code == "reference-refused")
        // What it names is told without it.
        let info = try ImageProbe.describe(child)
        #expect(info.references.map(\.name).contains(".\\base.vhd"))
        #expect(info.references.map(\.name).contains("base.vhd"))

        // A link in the parent's place.
        let real = directory.path("real.vhd")
        try FileManager.default.moveItem(atPath: parent, toPath: real)
        try FileManager.default.createSymbolicLink(atPath: parent, withDestinationPath: real)
        #expect(
            #expect(throws: StorageError.self) { try open(child, .read, siblings) }?.code
                == "not-a-regular-file")
        // A pipe: opening it would hang.
        try FileManager.default.removeItem(atPath: parent)
        try Tool.run("mkfifo", [parent])
        #expect(
            #expect(throws: StorageError.self) { try open(child, .read, siblings) }?.code
                == "not-a-regular-file")
        try FileManager.default.removeItem(atPath: parent)
        // A device: only root can make one, so only root can be asked.
        if (try? Tool.run("mknod", [parent, "c", "1", "5"])) != nil {
            #expect(
                #expect(throws: StorageError.self) { try open(child, .read, siblings) }?.code
                    == "not-a-regular-file")
            try FileManager.default.removeItem(atPath: parent)
        }
        // Nothing there.
        #expect(
            #expect(throws: StorageError.self) { try open(child, .read, siblings) }?.code
                == "parent-not-found")
        // Another disk.
        try VHDDriver.create(parent, byteCount: 20 << 20, options: ImageCreateOptions()).disk.flush()
        #expect(
            #expect(throws: StorageError.self) { try open(child, .read, siblings) }?.code == "parent-mismatch"
        )
    }

    @Test func parentsInOtherDirectoriesAreNotLookedFor() throws {
        let directory = try TemporaryDirectory()
        let (parent, _, _) = try pair(directory, seed: 16)
        try FileManager.default.createDirectory(
            atPath: directory.path("sub"), withIntermediateDirectories: true)
        let child = directory.path("sub/child.vhd")
        try VHDDriver.create(child, byteCount: 0, options: ImageCreateOptions(parent: parent)).disk.flush()
        #expect(try ImageProbe.describe(child).references.first?.name == "..\\base.vhd")
        #expect(
            #expect(throws: StorageError.self) { try open(child, .read, siblings) }?.code
                == "parent-not-found")
    }

    @Test func cyclesAndLongChainsEnd() throws {
        let directory = try TemporaryDirectory()
        let (parent, child, _) = try pair(directory, seed: 17)
        _ = parent
        // A disk whose parent is itself by identifier and name.
        var bytes = try fileBytes(child)
        bytes.replaceSubrange(512 + 40..<512 + 56, with: bytes[68..<84])
        bytes.replaceSubrange(512 + 64..<512 + 576, with: [UInt8](repeating: 0, count: 512))
        for (index, unit) in "child.vhd".utf16.enumerated() { bytes.storeBig(unit, at: 512 + 64 + index * 2) }
        bytes.replaceSubrange(512 + 576..<512 + 600, with: [UInt8](repeating: 0, count: 24))
        VHDFixture.sealHeader(&bytes)
        let path = try directory.write("cycle/child.vhd", bytes)
        #expect(
            #expect(throws: StorageError.self) { try open(path, .read, siblings) }?.code == "parent-cycle")
        #expect(
            #expect(throws: StorageError.self) { try open(path, .write, siblings) }?.code == "parent-cycle")

        var previous = directory.path("0.vhd")
        try VHDDriver.create(previous, byteCount: 1 << 20, options: ImageCreateOptions()).disk.flush()
        for index in 1..<64 {
            let next = directory.path("\(index).vhd")
            let image = try VHDDriver.create(
                next, byteCount: 0, options: ImageCreateOptions(parent: previous))
            if index % 10 == 0 { try image.disk.write([UInt8(index)], at: UInt64(index)) }
            try image.disk.flush()
            previous = next
        }
        #expect(try open(previous, .read, siblings).disk.bytes(at: 30, count: 1) == [30])
        #expect(
            #expect(throws: StorageError.self) {
                try VHDDriver.create(
                    directory.path("64.vhd"), byteCount: 0, options: ImageCreateOptions(parent: previous))
            }?.code == "chain-too-long")
    }

    @Test func aSmallerParentReadsAsZerosBehindItsEnd() throws {
        let directory = try TemporaryDirectory()
        let parent = directory.path("small.vhd")
        let base = try VHDDriver.create(parent, byteCount: 1 << 20, options: ImageCreateOptions())
        try base.disk.write([UInt8](repeating: 9, count: 1 << 20), at: 0)
        try base.disk.flush()
        let path = directory.path("large.vhd")
        let child = try VHDDriver.create(
            path, byteCount: 5 << 20, options: ImageCreateOptions(parent: parent))
        try child.disk.write([1], at: 3 << 20)
        try child.disk.flush()
        let disk = try open(path, .read, siblings).disk
        #expect(try disk.bytes(at: (1 << 20) - 2, count: 4) == [9, 9, 0, 0])
        #expect(try disk.bytes(at: 3 << 20, count: 2) == [1, 0])
    }

    /// Locators of every kind lead to the parent; an overlong or outside one is refused.
    @Test(arguments: ["W2ku", "W2ru", "MacX", "Wi2r", "Wi2k"])
    func locators(code: String) throws {
        let directory = try TemporaryDirectory()
        let (_, child, _) = try pair(directory, seed: 18)
        let names = [
            "W2ku": "C:\\vms\\base.vhd", "W2ru": ".\\base.vhd", "MacX": "file://localhost/vms/b%61se.vhd",
            "Wi2r": "base.vhd", "Wi2k": "D:\\base.vhd",
        ]
        let name = names[code] ?? ""
        let stored =
            code.hasPrefix("W2")
            ? name.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] } : Array(name.utf8)
        var bytes = try fileBytes(child)
        let header = 512
        bytes.replaceSubrange(header + 64..<header + 576, with: [UInt8](repeating: 0, count: 512))
        let place = Int(bytes.big(header + 592, as: UInt64.self))
        bytes.replaceSubrange(place..<place + stored.count, with: stored)
        bytes.replaceSubrange(header + 576..<header + 580, with: Array(code.utf8))
        bytes.storeBig(UInt32(stored.count), at: header + 584)
        VHDFixture.sealHeader(&bytes)
        try directory.write("child.vhd", bytes)
        #expect(try open(child, .read, siblings).disk.byteCount == 20 << 20)
        #expect(try ImageProbe.describe(child).references.first?.name.hasSuffix("base.vhd") == true)

        var long = bytes
        long.storeBig(UInt32(65537), at: header + 584)
        VHDFixture.sealHeader(&long)
        let longPath = try directory.write("long.vhd", long)
        #expect(
            #expect(throws: StorageError.self) { try open(longPath, .read, siblings) }?.code
                == "locator-too-long")
        var outside = bytes
        outside.storeBig(UInt64.max - 3, at: header + 592)
        VHDFixture.sealHeader(&outside)
        let outsidePath = try directory.write("outside.vhd", outside)
        #expect(
            #expect(throws: StorageError.self) { try open(outsidePath, .read, siblings) }?.code
                == "locator-outside-file")
    }
}
