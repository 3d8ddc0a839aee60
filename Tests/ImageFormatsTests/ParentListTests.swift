import Foundation
import ImageFormats
import Storage
import TestSupport
import Testing

/// A chain whose members lie in folders of their own, each of them given as a parent.
struct ParentListTests {
    let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private static let drivers: [any ImageDriver.Type] = [
        VHDDriver.self, VHDXDriver.self, VDIDriver.self, QCOW2Driver.self,
    ]

    /// base, middle over it, top over that; each in a folder, as far as the format finds its parent there.
    private static func chain(_ index: Int, in directory: TemporaryDirectory) throws -> [String] {
        let driver = drivers[index]
        let names = ["base", "middle", "top"].map { "\($0).\(driver.format.rawValue)" }
        var paths: [String] = []
        for (depth, name) in names.enumerated() {
            let path = directory.path(name)
            let image = try driver.create(
                path, byteCount: depth == 0 ? 4 << 20 : 0,
                options: ImageCreateOptions(parent: depth == 0 ? nil : directory.path(names[depth - 1])))
            try image.disk.write([UInt8](repeating: UInt8(depth + 1), count: 65536), at: UInt64(depth) << 20)
            try image.disk.flush()
            paths.append(path)
        }
        // Moved only now: children are made beside their parents.
        return try paths.enumerated().map { depth, path in
            let folder = directory.path("folder\(depth)")
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let place = folder + "/" + names[depth]
            try FileManager.default.moveItem(atPath: path, toPath: place)
            return place
        }
    }

    private static func open(_ path: String, _ parents: [String]) throws -> Image {
        try ImageProbe.open(
            path,
            options: ImageOpenOptions(references: ReferencePolicy(allowsSiblings: false, parents: parents))
        ).disk
    }

    private func code(_ body: () throws -> some Any) -> String? {
        do {
            _ = try body()
            return nil
        } catch { return (error as? StorageError)?.code }
    }

    @Test(arguments: drivers.indices)
    func anyOrderGivesTheChain(_ index: Int) throws {
        let paths = try Self.chain(index, in: directory)
        for parents in [[paths[0], paths[1]], [paths[1], paths[0]]] {
            let disk = try Self.open(paths[2], parents)
            #expect(disk.parents.count == 2)
            for depth in 0..<3 {
                #expect(try disk.bytes(at: UInt64(depth) << 20, count: 1) == [UInt8(depth + 1)])
            }
        }
    }

    @Test(arguments: drivers.indices)
    func aMemberThatIsMissingIsNotSkipped(_ index: Int) throws {
        let paths = try Self.chain(index, in: directory)
        #expect(code { try Self.open(paths[2], [paths[0]]) } == "parent-mismatch")
        #expect(code { try Self.open(paths[2], [paths[1]]) } == "reference-refused")
    }

    @Test(arguments: drivers.indices)
    func twoThatCouldBeTheParentAreRefused(_ index: Int) throws {
        let paths = try Self.chain(index, in: directory)
        let copy = directory.path("copy")
        try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
        let twin = copy + "/" + HostPath.name(of: paths[1])
        try FileManager.default.copyItem(atPath: paths[1], toPath: twin)
        #expect(code { try Self.open(paths[2], [paths[0], paths[1], twin]) } == "parent-ambiguous")
    }

    @Test func aBackingFileIsKnownByItsPlaceToo() throws {
        let paths = try Self.chain(3, in: directory)
        // The stored name leads to a link, the caller names the file.
        try FileManager.default.createSymbolicLink(
            atPath: directory.path("folder2/middle.qcow2"), withDestinationPath: paths[1])
        let real = directory.path("folder1/renamed.qcow2")
        try FileManager.default.moveItem(atPath: paths[1], toPath: real)
        #expect(code { try Self.open(paths[2], [paths[0], real]) } == "parent-mismatch")
        try FileManager.default.removeItem(atPath: directory.path("folder2/middle.qcow2"))
        try FileManager.default.createSymbolicLink(
            atPath: directory.path("folder2/middle.qcow2"), withDestinationPath: real)
        #expect(try Self.open(paths[2], [paths[0], real]).parents.count == 2)
    }
}
