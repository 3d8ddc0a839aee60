import Foundation
import HostIO
import ImageFormats
import Storage
import TestSupport
import Testing

/// Snapshots: what they do not hold is the parent's, known by its CID.
@Suite(.enabled(if: Tool.has("qemu-img"), "qemu-utils is not installed"))
struct VMDKChainTests {
    enum Kind: String, CaseIterable { case monolithicSparse, twoGbMaxExtentSparse, vmfsSparse, seSparse }

    static let size = 20 << 20

    /// A base disk, a child of it that holds some grains, and what the child shows.
    static func pair(
        _ kind: Kind, _ directory: TemporaryDirectory, seed: UInt64 = 1, byteCount size: Int = size
    ) throws -> (base: String, child: String, contents: [UInt8]) {
        let raw = try VMDKFixtures.rawDisk(directory, byteCount: size, seed: seed, name: "base-flat.vmdk")
        let base = try directory.write(
            "base.vmdk", VMDKFixtures.descriptor("vmfs", "RW \(size / 512) VMFS \"base-flat.vmdk\""))
        var contents = raw.bytes
        var random = SeededRandom(seed + 100)
        for _ in 0..<20 {
            let count = Int.random(in: 1...90_000, using: &random)
            let start = Int.random(in: 0...size - count, using: &random)
            contents.replaceSubrange(start..<start + count, with: random.bytes(count))
        }
        let child = directory.path("child.vmdk")
        switch kind {
        case .monolithicSparse, .twoGbMaxExtentSparse:
            try Tool.run(
                "qemu-img",
                [
                    "create", "-q", "-f", "vmdk", "-F", "vmdk", "-b", "base.vmdk", "-o",
                    "subformat=\(kind.rawValue)",
                    "child.vmdk",
                ], directory: directory.root)
            let disk = try VMDKFixtures.open(child, .write, references: VMDKFixtures.siblings).disk
            for start in stride(from: 0, to: size, by: 65536)
            where !VMDKFixtures.isSame(contents, start, raw.bytes, start, count: 65536) {
                try disk.write(Array(contents[start..<start + 65536]), at: UInt64(start))
            }
            try disk.flush()
        case .vmfsSparse:
            try directory.write(
                "child-delta.vmdk",
                VMDKFixtures.vmfsSparse(contents) {
                    !VMDKFixtures.isSame(contents, $0 * 512, raw.bytes, $0 * 512, count: 512)
                })
            try directory.write(
                "child.vmdk",
                VMDKFixtures.descriptor(
                    "vmfsSparse", "RW \(size / 512) VMFSSPARSE \"child-delta.vmdk\"", contentID: "11111111",
                    parent: ("00c0ffee", "base.vmdk")))
        case .seSparse:
            // Grains that became zeros, by each of the two entries that say so.
            contents.replaceSubrange(1 << 20..<1 << 20 + 65536, with: [UInt8](repeating: 0, count: 65536))
            let shown = contents
            try directory.write(
                "child-sesparse.vmdk",
                VMDKFixtures.seSparse(contents) {
                    if VMDKFixtures.isSame(shown, $0 * 4096, raw.bytes, $0 * 4096, count: 4096) {
                        return .absent
                    }
                    if shown[$0 * 4096..<($0 + 1) * 4096].allSatisfy({ $0 == 0 }) {
                        return .zero
                    }
                    return .data
                })
            try directory.write(
                "child.vmdk",
                VMDKFixtures.descriptor(
                    "seSparse", "RW \(size / 512) SESPARSE \"child-sesparse.vmdk\"", contentID: "11111111",
                    parent: ("00c0ffee", "base.vmdk")))
        }
        return (base, child, contents)
    }

    @Test(arguments: Kind.allCases, [1, 2] as [UInt64])
    func aChildShowsItsParentWhereItHoldsNothing(kind: Kind, seed: UInt64) throws {
        let directory = try TemporaryDirectory()
        let (base, child, contents) = try Self.pair(kind, directory, seed: seed)
        let image = try VMDKFixtures.open(child, references: VMDKFixtures.siblings)
        #expect(image.info.variant == kind.rawValue && image.disk.parents.count == 1)
        #expect(image.info.warnings == [])
        try BlockDeviceSuite.reads(image.disk, contents)
        #expect(isSame(try VMDKFixtures.qemuContents(child, directory), contents))
        if kind != .monolithicSparse, let theirs = try VMDKFixtures.dissectContents(child, directory) {
            #expect(isSame(theirs, contents))
        }
        // Named outright, wherever it lies.
        let moved = directory.path("elsewhere")
        try FileManager.default.createDirectory(atPath: moved, withIntermediateDirectories: true)
        for name in ["base.vmdk", "base-flat.vmdk"] {
            try FileManager.default.moveItem(atPath: directory.path(name), toPath: "\(moved)/\(name)")
        }
        _ = base
        #expect(VMDKFixtures.openCode(child, references: VMDKFixtures.siblings) == "parent-not-found")
        let named = ReferencePolicy(allowsSiblings: false, parent: "\(moved)/base.vmdk")
        try BlockDeviceSuite.reads(try VMDKFixtures.open(child, references: named).disk, contents)
    }

    @Test(arguments: [Kind.monolithicSparse, .twoGbMaxExtentSparse, .vmfsSparse], [3, 4] as [UInt64])
    func theTopOfAChainIsWritten(kind: Kind, seed: UInt64) throws {
        let directory = try TemporaryDirectory()
        var (_, child, contents) = try Self.pair(kind, directory, seed: seed)
        let before = try ["base.vmdk", "base-flat.vmdk"].map { try fileBytes(directory.path($0)) }
        let old = try VMDKFixtures.contentID(child)
        for session in 0..<3 {
            let image = try VMDKFixtures.open(child, .write, references: VMDKFixtures.siblings)
            try BlockDeviceSuite.writes(
                image.disk, &contents, count: 12, seed: seed * 10 + UInt64(session), flushing: session == 1)
        }
        try BlockDeviceSuite.reads(
            try VMDKFixtures.open(child, references: VMDKFixtures.siblings).disk, contents)
        #expect(isSame(try VMDKFixtures.qemuContents(child, directory), contents))
        if kind != .monolithicSparse, let theirs = try VMDKFixtures.dissectContents(child, directory) {
            #expect(isSame(theirs, contents))
        }
        #expect(try VMDKFixtures.contentID(child) != old)
        let after = try ["base.vmdk", "base-flat.vmdk"].map { try fileBytes(directory.path($0)) }
        #expect(isSame(before[0], after[0]) && isSame(before[1], after[1]))
        for name in ["child.vmdk", "child-delta.vmdk", "child-s001.vmdk"]
        where FileManager.default.fileExists(atPath: directory.path(name)) {
            #expect(try VMDKFixtures.findings(directory.path(name)) == [], "\(name)")
        }
    }

    @Test func chainsOfSeveralKinds() throws {
        let directory = try TemporaryDirectory()
        var (_, child, contents) = try Self.pair(.vmfsSparse, directory, seed: 5)
        try Tool.run(
            "qemu-img", ["create", "-q", "-f", "vmdk", "-F", "vmdk", "-b", "child.vmdk", "top.vmdk"],
            directory: directory.root)
        let top = directory.path("top.vmdk")
        let middle = try fileBytes(directory.path("child-delta.vmdk"))
        do {
            let image = try VMDKFixtures.open(top, .write, references: VMDKFixtures.siblings)
            #expect(image.disk.parents.count == 2)
            try BlockDeviceSuite.writes(image.disk, &contents, count: 12, seed: 6)
        }
        try BlockDeviceSuite.reads(
            try VMDKFixtures.open(top, references: VMDKFixtures.siblings).disk, contents)
        #expect(isSame(try VMDKFixtures.qemuContents(top, directory), contents))
        #expect(isSame(try fileBytes(directory.path("child-delta.vmdk")), middle))
        // Once the middle is changed, what stands above it is no picture of anything.
        do {
            let disk = try VMDKFixtures.open(child, .write, references: VMDKFixtures.siblings).disk
            try disk.write([1], at: 0)
            try disk.flush()
        }
        #expect(VMDKFixtures.openCode(top, references: VMDKFixtures.siblings) == "parent-mismatch")
    }

    @Test func nothingIsOpenedUnaskedAndTheParentIsTheRightOne() throws {
        let directory = try TemporaryDirectory()
        let (base, child, _) = try Self.pair(.vmfsSparse, directory)
        let refused = #expect(throws: StorageError.self) { try VMDKFixtures.open(child) }
        #expect(refused?.code == "reference-refused" && refused?.kind == .refused)
        #expect(refused?.remedies == [.allowSiblings, .nameParent])
        let info = try ImageProbe.describe(child, locking: .ignore)
        #expect(info.references.contains { $0.role == "parent" && $0.name == "base.vmdk" })
        #expect(info.details.contains(ImageInfo.Detail("parent CID", "00c0ffee")))
        #expect(try VMDKFixtures.findings(child) == [])

        // Written to behind its child's back.
        let text = String(decoding: try fileBytes(base), as: UTF8.self)
        try directory.write("base.vmdk", text.replacingOccurrences(of: "CID=00c0ffee", with: "CID=00c0ffed"))
        for policy in [VMDKFixtures.siblings, ReferencePolicy(allowsSiblings: false, parent: base)] {
            let error = #expect(throws: StorageError.self) {
                try VMDKFixtures.open(child, references: policy)
            }
            #expect(error?.code == "parent-mismatch")
            // Whoever has named it needs other advice.
            #expect(error?.remedies == (policy.allowsSiblings ? [.nameParent] : []))
            let message = error?.message ?? ""
            #expect(message.contains("the CID 00c0ffee") && message.contains("the CID 00c0ffed"))
        }
        // A parent without an identifier is nobody's.
        try directory.write("base.vmdk", text.replacingOccurrences(of: "\nCID=00c0ffee", with: ""))
        #expect(VMDKFixtures.openCode(child, references: VMDKFixtures.siblings) == "parent-mismatch")
        // A link, a pipe, a directory in its place; then nothing.
        try directory.write("real.vmdk", text)
        try FileManager.default.removeItem(atPath: base)
        for make in [["ln", "-s", "real.vmdk", base], ["mkfifo", base], ["mkdir", base]] {
            try Tool.run(make[0], Array(make.dropFirst()))
            #expect(VMDKFixtures.openCode(child, references: VMDKFixtures.siblings) == "not-a-regular-file")
            try Tool.run("rm", ["-r", base])
        }
        #expect(VMDKFixtures.openCode(child, references: VMDKFixtures.siblings) == "parent-not-found")
    }

    /// What a snapshot may call its parent, and whether the file beside it is meant.
    @Test(arguments: [
        ("base.vmdk", true), ("./base.vmdk", true), ("/vmfs/volumes/4f-2/vm/base.vmdk", true),
        ("C:\\\\vms\\\\base.vmdk", true), ("\\\\\\\\host\\\\share\\\\base.vmdk", true),
        ("/etc/passwd", false),
        ("../base.vmdk", false), ("sub/base.vmdk", false), ("..", false), ("/", false), ("", false),
        ("json:{}", false),
    ])
    func hints(_ hint: String, isFound: Bool) throws {
        let directory = try TemporaryDirectory()
        let (_, child, contents) = try Self.pair(.vmfsSparse, directory)
        let text = String(decoding: try fileBytes(child), as: UTF8.self)
        try directory.write(
            "child.vmdk",
            text.replacingOccurrences(
                of: "Hint=\"base.vmdk\"",
                with: "Hint=\"\(hint.replacingOccurrences(of: "\\\\", with: "\\"))\""))
        let code = VMDKFixtures.openCode(child, references: VMDKFixtures.siblings)
        #expect(code == (isFound ? nil : "parent-not-found"))
        if isFound {
            let disk = try VMDKFixtures.open(child, references: VMDKFixtures.siblings).disk
            #expect(isSame(try disk.bytes(at: 0, count: 1 << 20), Array(contents[0..<1 << 20])))
        }
    }

    @Test func circlesEnd() throws {
        let directory = try TemporaryDirectory()
        try directory.write(
            "d.vmdk", VMDKFixtures.vmfsSparse([UInt8](repeating: 1, count: 4096)) { _ in false })
        func disk(_ name: String, hint: String) throws -> String {
            try directory.write(
                name,
                VMDKFixtures.descriptor(
                    "vmfsSparse", "RW 8 VMFSSPARSE \"d.vmdk\"", contentID: "7", parent: ("7", hint)))
        }
        let own = try disk("own.vmdk", hint: "own.vmdk")
        let one = try disk("one.vmdk", hint: "two.vmdk")
        _ = try disk("two.vmdk", hint: "one.vmdk")
        for path in [own, one] {
            for access in [FileAccess.read, .write] {
                #expect(
                    VMDKFixtures.openCode(path, access: access, references: VMDKFixtures.siblings)
                        == "parent-cycle")
            }
        }
        // And chains that only look endless.
        for index in 0..<70 { _ = try disk("\(index).vmdk", hint: "\(index + 1).vmdk") }
        #expect(
            VMDKFixtures.openCode(directory.path("0.vmdk"), references: VMDKFixtures.siblings)
                == "chain-too-long")
    }

    @Test func childrenAreKnown() throws {
        let directory = try TemporaryDirectory()
        let (base, child, _) = try Self.pair(.monolithicSparse, directory)
        func isChild(_ one: String, of other: String) throws -> Bool {
            ImageProbe.isChild(
                try HostFile.open(one, locking: .ignore), of: try HostFile.open(other, locking: .ignore))
        }
        #expect(try isChild(child, of: base))
        #expect(try !isChild(base, of: child))
        #expect(try !isChild(child, of: directory.path("base-flat.vmdk")))
        // By the identifier, where it names no file.
        let text = VMDKFixtures.descriptor(
            "vmfsSparse", "RW 8 VMFSSPARSE \"x\"", contentID: "7", parent: ("00c0ffee", ""))
        let nameless = try directory.write("nameless.vmdk", text)
        #expect(try isChild(nameless, of: base))
        try directory.write("nameless.vmdk", text.replacingOccurrences(of: "00c0ffee", with: "00c0ffef"))
        #expect(try !isChild(nameless, of: base))
        // A disk that was consolidated may keep the name of its parent.
        let free = try directory.write(
            "free.vmdk",
            text.replacingOccurrences(of: "parentCID=00c0ffee", with: "parentCID=ffffffff")
                .replacingOccurrences(
                    of: "Hint=\"\"", with: "Hint=\"base.vmdk\""))
        #expect(try !isChild(free, of: base))
    }

    @Test func snapshotsAreNotMadeLonger() throws {
        let directory = try TemporaryDirectory()
        let (_, child, _) = try Self.pair(.monolithicSparse, directory)
        let image = try VMDKFixtures.open(child, .write, references: VMDKFixtures.siblings)
        let error = #expect(throws: StorageError.self) { try ImageProbe.grow(image, to: 40 << 20) }
        #expect(error?.code == "resize-of-parts" && error?.remedies == [.convert(options: [])])
    }
}
