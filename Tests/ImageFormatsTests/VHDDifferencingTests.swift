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

    /// Parents that others made, and the disk as it was made of them.
    @Test(arguments: [true, false])
    func childrenOfDisksMadeByQemu(parentFixed: Bool) throws {
        let directory = try TemporaryDirectory()
        let (parent, child, flat) = try pair(directory, seed: 11, parentFixed: parentFixed)
        let before = try fileBytes(parent)
        var contents = try fileBytes(flat)
        do {
            let image = try open(child, .write, siblings)
            #expect(image.info.variant == "differencing")
            try BlockDeviceSuite.writes(image.disk, &contents)
        }
        try BlockDeviceSuite.reads(try open(child, .read, siblings).disk, contents)
        #expect(isSame(try fileBytes(parent), before))
    }

    @Test func whatItNamesIsTold() throws {
        let directory = try TemporaryDirectory()
        let (parent, child, _) = try pair(directory, seed: 15)
        let refused = #expect(throws: StorageError.self) { try open(child) }
        #expect(refused?.code == "reference-refused")
        // What it names is told without it.
        let info = try ImageProbe.describe(child)
        #expect(info.references.map(\.name).contains(".\\base.vhd"))
        #expect(info.references.map(\.name).contains("base.vhd"))

        // A device in the parent's place: only root can make one, so only root can be asked.
        try FileManager.default.removeItem(atPath: parent)
        if (try? Tool.run("mknod", [parent, "c", "1", "5"])) != nil {
            #expect(
                #expect(throws: StorageError.self) { try open(child, .read, siblings) }?.code
                    == "not-a-regular-file")
            try FileManager.default.removeItem(atPath: parent)
        }
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

    @Test func cyclesEnd() throws {
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
