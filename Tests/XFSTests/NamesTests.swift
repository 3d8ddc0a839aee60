import Storage
import TestSupport
import Testing

@testable import XFS

/// Names, links and attributes that come and go, in every form that directories, attributes and trees have.
@Suite(.enabled(if: XFSImage.tools, "\(XFSImage.skipMessage)")) struct NamesTests {
    private let new = NewFileAttributes(
        permissions: 0o644,
        extendedAttributes: [
            ExtendedAttribute(
                name: Array("security.selinux".utf8), value: Array("system_u:object_r:etc_t:s0\0".utf8))
        ])

    private func name(_ number: Int) -> [UInt8] {
        Array("entry \(number) with a name that fills blocks quickly".utf8)
    }

    private func sound(_ device: MemoryDevice, _ comment: Comment) throws {
        #expect(try XFSImage(device.contents).defects() == "", comment)
        var findings: [Finding] = []
        try XFSDriver.check(device) { findings.append($0) }
        #expect(findings == [], comment)
    }

    /// A directory grows from the inode to a tree of hashes and goes back into the inode; inodes come in new chunks.
    @Test(arguments: [Profile.rhel7, .rhel10, .smallBlocks, .tinyBlocks, .largeDirectories])
    func directoriesGrowAndShrink(_ profile: Profile) throws {
        let device = try XFSImage(profile).device()
        var volume = try XFSFileSystem.open(device)
        var transaction = try volume.begin()
        let directory = try transaction.createDirectory(
            Array("d".utf8), in: transaction.rootDirectory, attributes: new)
        func commit(_ comment: Comment) throws {
            try transaction.prepare().commit()
            volume = try XFSFileSystem.open(device)
            transaction = try volume.begin()
            try sound(device, comment)
        }
        let steps = [3, 30, 120, 700]
        var made = 0
        for step in steps {
            while made < step {
                _ = try transaction.createFile(
                    name(made), in: directory, contents: TreeModel.contents(made % 7 * 300), attributes: new)
                made += 1
                if transaction.shouldBeCommitted {
                    try transaction.prepare().commit()
                    volume = try XFSFileSystem.open(device)
                    transaction = try volume.begin()
                }
            }
            try commit("\(step) entries")
            let found = try volume.entries(of: directory).map(\.name)
            #expect(Set(found) == Set((0..<step).map { name($0) }) && found.count == step)
        }
        // From the middle, so that blocks become empty and holes stay.
        for number in Array(100..<600) + Array(0..<100) + Array(601..<700) {
            #expect(try transaction.lookUp(name(number), in: directory) != nil)
            try transaction.remove(name(number), in: directory)
            if transaction.shouldBeCommitted {
                try transaction.prepare().commit()
                volume = try XFSFileSystem.open(device)
                transaction = try volume.begin()
            }
        }
        try commit("one entry left")
        #expect(try volume.entries(of: directory).map(\.name) == [name(600)])
        #expect(try volume.inode(directory).format(.data) == .local)
        try transaction.remove(name(600), in: directory)
        try transaction.remove(Array("d".utf8), in: transaction.rootDirectory)
        try commit("removed")
        #expect(try volume.entries(of: volume.rootDirectory).isEmpty)
    }

    /// Attributes in the inode, in a leaf, with values in blocks, and back; a map that is a tree gives way.
    @Test(arguments: Profile.all) func attributesTakeEveryForm(_ profile: Profile) throws {
        let device = try XFSImage(profile, files: ["a": TreeModel.contents(9000)]).device()
        var expected: [[UInt8]: [UInt8]] = [:]
        for (label, value) in [
            ("user.a", 10), ("user.b", 200), ("trusted.c", 1500), ("user.d", 60_000), ("user.e", 0),
        ] {
            let volume = try XFSFileSystem.open(device)
            let transaction = try volume.begin()
            let file = try #require(try volume.find("a"))
            let key = Array(label.utf8)
            let bytes = TreeModel.contents(value)
            expected[key] = bytes
            try transaction.setExtendedAttribute(key, of: file, to: bytes)
            #expect(
                try transaction.extendedAttributes(of: file).contains { $0.name == key && $0.value == bytes })
            try transaction.prepare().commit()
            try sound(device, "\(label)")
            let again = try XFSFileSystem.open(device)
            let found = try again.extendedAttributes(of: file)
            #expect(Dictionary(uniqueKeysWithValues: found.map { ($0.name, $0.value) }) == expected)
            #expect(try again.contents(of: file) == TreeModel.contents(9000))
        }
        let volume = try XFSFileSystem.open(device)
        let transaction = try volume.begin()
        let file = try #require(try volume.find("a"))
        for key in expected.keys.sorted(by: { $0.count < $1.count }) {
            try transaction.setExtendedAttribute(key, of: file, to: nil)
        }
        #expect(
            code { try transaction.setExtendedAttribute(Array("user.a".utf8), of: file, to: nil) }
                == "no-attribute")
        try transaction.prepare().commit()
        try sound(device, "none left")
        #expect(try volume.inode(file).forkOffset == 0)
    }

    /// Values in blocks of their own, under names of every length beside a multiple of four.
    @Test(arguments: Profile.all) func namesOfEveryLength(_ profile: Profile) throws {
        let device = try XFSImage(profile, files: ["a": [1]]).device()
        for length in 1...8 {
            let volume = try XFSFileSystem.open(device)
            let transaction = try volume.begin()
            let file = try #require(try volume.find("a"))
            let key = Array("user.".utf8) + [UInt8](repeating: UInt8(ascii: "k"), count: length)
            try transaction.setExtendedAttribute(key, of: file, to: TreeModel.contents(profile.blockSize))
            try transaction.prepare().commit()
            try sound(device, "\(length)")
        }
    }

    /// An access list says the mode, and is kept as XFS keeps it.
    @Test func accessLists() throws {
        let device = try XFSImage(.rhel9, files: ["a": [1]]).device()
        let volume = try XFSFileSystem.open(device)
        let transaction = try volume.begin()
        let file = try #require(try volume.find("a"))
        let list = AccessControl(entries: [
            .init(tag: .owner, permissions: 6), .init(tag: .user, id: 7, permissions: 4),
            .init(tag: .owningGroup, permissions: 4), .init(tag: .mask, permissions: 5),
            .init(tag: .other, permissions: 0),
        ])
        try transaction.setExtendedAttribute(AccessControl.AttributeName.access, of: file, to: list.value)
        #expect(try transaction.attributes(of: file).permissions == 0o650)
        try transaction.setAttributes(of: file, AttributeChange(permissions: 0o640))
        try transaction.prepare().commit()
        let found = try volume.extendedAttributes(of: file)
        #expect(
            found.contains {
                $0.name == AccessControl.AttributeName.access && $0.value == list.settingMode(0o640).value
            })
        #expect(found.contains { $0.name == Array("trusted.SGI_ACL_FILE".utf8) })
        try sound(device, "an access list")
    }

    /// Free space in many pieces: its trees and the reverse map split, and join again.
    @Test(arguments: [Profile.rhel10, .smallBlocks, .tinyBlocks, .earlyCounters])
    func treesGrowAndShrink(_ profile: Profile) throws {
        let device = try XFSImage(profile, byteCount: 48 << 20).device()
        var volume = try XFSFileSystem.open(device)
        var transaction = try volume.begin()
        func settle() throws {
            guard transaction.shouldBeCommitted else { return }
            try transaction.prepare().commit()
            volume = try XFSFileSystem.open(device)
            transaction = try volume.begin()
        }
        let root = transaction.rootDirectory
        var levels = 0
        for turn in 0..<2 {
            for number in 0..<600 {
                _ = try transaction.createFile(
                    name(number), in: root, contents: TreeModel.contents(profile.blockSize), attributes: new)
                try settle()
            }
            // Every other one: each leaves a gap.
            for number in stride(from: turn, to: 600, by: 2) {
                try transaction.remove(name(number), in: root)
                try settle()
            }
            try transaction.prepare().commit()
            try sound(device, "every other one")
            volume = try XFSFileSystem.open(device)
            for group in 0..<volume.geometry.groupCount {
                let headers = try volume.headers(of: AGNumber(group))
                levels = max(levels, headers.root(.freeByCount).levels, headers.root(.inodes).levels)
                if profile.name == "rhel10" { levels = max(levels, headers.root(.reverseMap).levels) }
            }
            transaction = try volume.begin()
            for number in stride(from: 1 - turn, to: 600, by: 2) {
                try transaction.remove(name(number), in: root)
                try settle()
            }
            try transaction.prepare().commit()
            try sound(device, "none left")
            volume = try XFSFileSystem.open(device)
            transaction = try volume.begin()
        }
        #expect(levels > 1)
    }

    @Test func refusals() throws {
        let device = try XFSImage(.rhel9, files: ["etc/fstab": [1], "boot/menu": [2]]).device()
        let volume = try XFSFileSystem.open(device)
        let transaction = try volume.begin()
        let etc = try #require(try volume.find("etc"))
        let file = try #require(try volume.find("etc/fstab"))
        let root = volume.rootDirectory
        func refused(_ expected: String, _ body: () throws -> Void) { #expect(code(body) == expected) }
        refused("exists") {
            _ = try transaction.createFile(Array("fstab".utf8), in: etc, contents: [], attributes: new)
        }
        refused("bad-name") {
            _ = try transaction.createFile(Array("a/b".utf8), in: etc, contents: [], attributes: new)
        }
        refused("not-empty") { try transaction.remove(Array("etc".utf8), in: root) }
        refused("no-entry") { try transaction.remove(Array("none".utf8), in: etc) }
        refused("into-itself") {
            try transaction.rename(Array("etc".utf8), in: root, to: Array("in".utf8), in: etc)
        }
        refused("is-a-directory") {
            try transaction.rename(Array("fstab".utf8), in: etc, to: Array("boot".utf8), in: root)
        }
        refused("is-a-directory") { try transaction.link(etc, as: Array("more".utf8), in: root) }
        refused("bad-name") {
            _ = try transaction.createSymbolicLink(
                Array("l".utf8), in: etc, target: [UInt8](repeating: 65, count: 1024), attributes: new)
        }
        refused("bad-node") {
            _ = try transaction.createNode(
                Array("n".utf8), in: etc, type: .blockDevice, device: .init(major: 1 << 14, minor: 0),
                attributes: new)
        }
        refused("bad-attribute-name") {
            try transaction.setExtendedAttribute(Array("system.other".utf8), of: file, to: [1])
        }
        refused("misplaced-attribute") {
            try transaction.setExtendedAttribute(AccessControl.AttributeName.inherited, of: file, to: [1])
        }
        refused("file-too-long") { try transaction.truncate(file, to: .max) }
        refused("attributes-full") {
            for number in 0..<400 {
                let key = Array("user.\(number) a name of many letters".utf8)
                try transaction.setExtendedAttribute(key, of: file, to: TreeModel.contents(9))
            }
        }
        let full = try volume.begin()
        refused("log-full") {
            for number in 0..<4000 {
                _ = try full.createFile(name(number), in: etc, contents: [], attributes: new)
            }
            _ = try full.prepare()
        }
        // Names that are found whatever their case are not written.
        let folded = try XFSImage(Profile(name: "folded", options: ["-n", "version=ci"])).device()
        let other = try XFSFileSystem.open(folded)
        #expect(!other.capabilities.allows(.names) && other.capabilities.allows(.contents))
        refused("folded-names") {
            _ = try other.begin().createFile([65], in: other.rootDirectory, contents: [], attributes: new)
        }
    }

    /// A volume of `version=ci`: names are found in any case, by the hash of their folded letters where these are ASCII's,
    /// in a directory of one block and in one with a tree of hashes.
    @Test(arguments: [5, 900])
    func foldedNames(_ count: Int) throws {
        let names = (0..<count).map { "File \($0) of Many\($0 % 3 == 0 ? " Others" : "")" }
        var files: [String: [UInt8]] = [:]
        for (index, name) in names.enumerated() {
            files["Dir/\(name.filter { $0 != " " })"] = [UInt8(index & 255)]
        }
        let image = try XFSImage(Profile(name: "folded", options: ["-n", "version=ci"]), files: files)
        let system = try XFSFileSystem.open(try image.device())
        let directory = try #require(try system.find("dIR"))
        for (index, name) in names.enumerated() {
            let plain = name.filter { $0 != " " }
            for spelled in [plain, plain.uppercased(), plain.replacing("File", with: "fILE")] {
                let found = try #require(try system.lookUp(Array(spelled.utf8), in: directory), "\(spelled)")
                #expect(try system.contents(of: found) == [UInt8(index & 255)])
            }
            #expect(try system.lookUp(Array((plain + "x").utf8), in: directory) == nil)
        }
        try XFSDriver.check(image.device()) { Issue.record("\($0.message)") }
    }
}
