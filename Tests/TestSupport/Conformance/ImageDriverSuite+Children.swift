internal import Foundation
internal import HostIO
internal import ImageFormats
internal import Storage
import Testing

extension ImageDriverSuite {
    /// A parent with data, and a child of it that holds nothing yet.
    private static func pair(
        _ kind: ImageDriverCase, _ options: ImageDriverCase.Options, _ directory: TemporaryDirectory,
        mebibytes: UInt64 = 20, seed: UInt64
    ) throws -> (parent: String, child: String, contents: [UInt8]) {
        let flat = try scatteredDisk(directory, "flat", byteCount: kind.size(mebibytes), seed: seed)
        let parent = kind.path("base", directory)
        try copyIn(flat, try kind.create(parent, byteCount: kind.size(mebibytes), options: options).disk)
        let child = kind.path("child", directory)
        try kind.create(child, byteCount: 0, parent: parent).disk.flush()
        return (parent, child, try fileBytes(flat))
    }

    /// A child shows its parent where it holds nothing, also in chains, and its writes never reach the parent.
    package static func childrenMatchAFlatCopy(
        _ kind: ImageDriverCase, parent options: ImageDriverCase.Options
    ) throws {
        let directory = try TemporaryDirectory()
        var (parent, child, contents) = try pair(kind, options, directory, seed: 11)
        let before = try fileBytes(parent)
        try BlockDeviceSuite.reads(try kind.open(child).disk, contents)
        for session in 0..<4 {
            let image = try kind.open(child, .write)
            #expect(image.disk.sectorSize == kind.sectorSize && image.disk.parents.count == 1)
            try BlockDeviceSuite.writes(
                image.disk, &contents, count: 12, seed: UInt64(session) + 12, flushing: session == 1)
        }
        #expect(try kind.findings(child) == [])
        try BlockDeviceSuite.reads(try kind.open(child).disk, contents)
        #expect(isSame(try fileBytes(parent), before))

        let top = kind.path("top", directory)
        try kind.create(top, byteCount: 0, parent: child).disk.flush()
        let middle = try fileBytes(child)
        do {
            let image = try kind.open(top, .write)
            #expect(image.disk.parents.count == 2)
            try BlockDeviceSuite.writes(image.disk, &contents, count: 10, seed: 17)
        }
        #expect(try kind.findings(top) == [])
        try BlockDeviceSuite.reads(try kind.open(top).disk, contents)
        #expect(isSame(try fileBytes(child), middle))
    }

    /// No file is opened unless the policy says so, and none that is not a plain file; the parent that is found is the
    /// right one.
    package static func nothingIsOpenedUnasked(_ kind: ImageDriverCase) throws {
        guard let options = kind.parents.first else { return }
        let directory = try TemporaryDirectory()
        let (parent, child, contents) = try pair(kind, options, directory, mebibytes: 5, seed: 15)
        func code(_ policy: ReferencePolicy = ReferencePolicy(allowsSiblings: true)) -> String? {
            do {
                _ = try kind.open(child, .read, policy)
                return nil
            } catch { return (error as? StorageError)?.code }
        }
        #expect(code(.refuse) == "reference-refused")
        // What it names is told without it, and its own tables are looked at.
        let info = try ImageProbe.describe(child, format: kind.driver.format, locking: .ignore)
        #expect(!info.references.isEmpty)
        #expect(try kind.findings(child) == [])
        // Named outright, wherever it lies.
        let away = directory.path("away")
        try FileManager.default.createDirectory(atPath: away, withIntermediateDirectories: true)
        let real = away + "/" + (kind.knowsParent ? "other" : HostPath.name(of: parent))
        try FileManager.default.moveItem(atPath: parent, toPath: real)
        #expect(code() != nil)
        let named = ReferencePolicy(allowsSiblings: false, parent: real)
        try BlockDeviceSuite.reads(try kind.open(child, .read, named).disk, contents)
        if kind.knowsParent {
            #expect(code() == "parent-not-found")
            try kind.create(parent, byteCount: kind.size(5), options: options).disk.flush()
            #expect(code() == (kind.namesParent ? "parent-mismatch" : "parent-not-found"))
            try FileManager.default.removeItem(atPath: parent)
        }
        // A link and a pipe in the parent's place: following the one leads anywhere, opening the other hangs.
        try FileManager.default.createSymbolicLink(atPath: parent, withDestinationPath: real)
        let refusal = kind.namesParent ? "not-a-regular-file" : "parent-not-found"
        #expect(code() == refusal)
        try FileManager.default.removeItem(atPath: parent)
        try Tool.run("mkfifo", [parent])
        #expect(code() == refusal)
        try FileManager.default.removeItem(atPath: parent)
    }

    /// Chains end, and a parent that is shorter than its child reads as zeros behind its end.
    package static func chainsEnd(_ kind: ImageDriverCase) throws {
        guard let options = kind.parents.first else { return }
        let directory = try TemporaryDirectory()
        var previous = kind.path("0", directory)
        let base = try kind.create(previous, byteCount: kind.size(1), options: options)
        try base.disk.write([UInt8](repeating: 9, count: Int(kind.size(1))), at: 0)
        try base.disk.flush()
        for index in 1..<64 {
            let next = kind.path("\(index)", directory)
            let image = try kind.create(
                next, byteCount: index == 1 && !kind.keepsParentSize ? kind.size(3) : 0, parent: previous)
            if index % 10 == 0 { try image.disk.write([UInt8(index)], at: UInt64(index)) }
            try image.disk.flush()
            previous = next
        }
        let disk = try kind.open(previous).disk
        #expect(try disk.bytes(at: 30, count: 2) == [30, 9])
        if kind.keepsParentSize {
            #expect(disk.byteCount == kind.size(1))
            #expect(throws: StorageError.self) {
                try kind.create(kind.path("longer", directory), byteCount: kind.size(3), parent: previous)
            }
        } else {
            #expect(try disk.bytes(at: kind.size(1) - 2, count: 4) == [9, 9, 0, 0])
        }
        let error = #expect(throws: StorageError.self) {
            try kind.create(kind.path("64", directory), byteCount: 0, parent: previous)
        }
        #expect(error?.code == "chain-too-long")
    }
}
