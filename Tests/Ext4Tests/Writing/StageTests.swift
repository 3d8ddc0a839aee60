import Ext4
import Storage
import TestSupport
import Testing

/// Changes of volumes without a journal in which operations need different orders of writing: cut at every write and
/// with writes between two flushes in any order, e2fsck -p leaves a sound volume, and the change as a whole is what the
/// operations say.
@Suite struct StageTests {
    typealias Change = @Sendable (PathEditor) throws -> Void

    static let changes: [(name: String, change: Change)] = [
        (
            "create and remove in one block",
            { edit in
                try edit.create("a/new", contents(3000))
                try edit.remove("a/f1")
                try edit.create("a/newer", contents(100))
                try edit.remove("a/f2")
            }
        ),
        (
            "files replaced as untar does",
            { edit in
                for index in 1...6 {
                    try edit.remove("a/f\(index)")
                    try edit.create("a/f\(index)", contents(index * 700))
                }
            }
        ),
        (
            "rename over another, then create under the old name",
            { edit in
                try edit.rename("a/f1", to: "a/f2")
                try edit.create("a/f1", contents(2000))
                try edit.rename("a/f1", to: "b/under/g")
                try edit.create("a/f1", contents(10))
            }
        ),
        (
            "files that change places",
            { edit in
                try edit.rename("many/\(longName(3))", to: "many/aside")
                try edit.rename("many/\(longName(50))", to: "many/\(longName(3))")
                try edit.rename("many/aside", to: "many/\(longName(50))")
                try edit.rename("a/f3", to: "b/under/f3")
                try edit.rename("b/under/g", to: "a/f3")
            }
        ),
        (
            "mkdir and rmdir",
            { edit in
                for _ in 0..<3 {
                    try edit.makeDirectory("a/made")
                    try edit.remove("a/made")
                }
                try edit.remove("c")
                try edit.makeDirectory("c")
                try edit.makeDirectory("c/below")
                try edit.create("c/below/file", contents(5000))
            }
        ),
        (
            "symbolic links replaced",
            { edit in
                for index in 1...4 {
                    try edit.remove("links/l\(index)")
                    try edit.makeSymbolicLink(
                        "links/l\(index)", to: [UInt8](repeating: 0x61, count: index * 30))
                }
            }
        ),
        (
            "saved as an editor does",
            { edit in
                for index in 1...4 {
                    try edit.link("a/f\(index)", as: "a/f\(index)~")
                    try edit.create("a/.swap", contents(1500 + index))
                    try edit.rename("a/.swap", to: "a/f\(index)")
                    try edit.remove("a/f\(index)~")
                }
            }
        ),
        (
            "a tree made",
            { edit in
                for first in 0..<3 {
                    try edit.makeDirectory("new\(first)")
                    for second in 0..<3 {
                        try edit.makeDirectory("new\(first)/\(second)")
                        for third in 0..<4 {
                            try edit.create("new\(first)/\(second)/\(third)", contents(third * 900 + 1))
                        }
                    }
                    try edit.link("new\(first)/0/1", as: "new\(first)/linked")
                }
            }
        ),
        (
            "a tree removed",
            { edit in
                try edit.remove("b/under/g")
                try edit.remove("b/under/h")
                try edit.remove("b/under")
                try edit.remove("b/i")
                try edit.remove("b")
                for index in 1...12 { try edit.remove("a/f\(index)") }
                try edit.remove("a")
            }
        ),
        (
            "a directory renamed where it is",
            { edit in
                try edit.rename("b", to: "renamed")
                try edit.rename("subdirectories/\(longName(2))", to: "subdirectories/\(longName(99))x")
                try edit.rename("subdirectories/\(longName(40))", to: "subdirectories/\(longName(7))")
                try edit.rename("c", to: "a_directory_over_none")
            }
        ),
        (
            "a directory of many blocks grows",
            { edit in for index in 100..<130 { try edit.create("many/\(longName(index))", contents(index)) } }
        ),
        (
            "an index is made and split",
            { edit in for index in 100..<150 { try edit.create("full/\(longName(index))", contents(index)) } }
        ),
        (
            "maps of many blocks",
            { edit in
                try edit.replace("big", contents(300_000))
                try edit.transaction.punchHole(in: edit.find("big"), 5000..<200_000)
                try edit.remove("a/f1")
                try edit.create("a/f1", contents(30_000))
                try edit.replace("big", contents(20_000))
                try edit.transaction.write([1, 2, 3], to: edit.find("big"), at: 290_000)
            }
        ),
        (
            "attributes of new and of old files",
            { edit in
                for index in 1...5 {
                    let file = "a/f\(index)"
                    try edit.setAttribute("user.x", of: file, contents(200))
                    try edit.link(file, as: "\(file)+")
                    try edit.setAttribute("user.y", of: "\(file)+", contents(300))
                    try edit.remove(file)
                    try edit.setAttribute("user.x", of: "\(file)+", nil)
                }
            }
        ),
    ]

    static func longName(_ index: Int) -> String { "a_rather_long_name_in_a_directory_\(index)" }
    static func contents(_ count: Int) -> [UInt8] { ReplaceContentsTests.contents(count) }

    /// Without a journal, as ext2 and as ext4 can be made.
    static let profiles = [
        Profile.ext2,
        Profile(
            name: "ext4 without a journal", options: Profile.checksums.options + ["-O", "^has_journal"],
            hasJournal: false),
        Profile(
            name: "inline_data without a journal", options: Profile.inline.options + ["-O", "^has_journal"],
            hasJournal: false),
    ]

    /// Directories of one block and of many, with and without an index; a file with double-indirect blocks.
    static func volume(_ profile: Profile) throws -> [UInt8] {
        var files: [String: [UInt8]] = ["big": contents(290_000), "b/i": contents(50)]
        for index in 1...12 { files["a/f\(index)"] = contents(index * 300) }
        for name in ["g", "h"] { files["b/under/\(name)"] = contents(4000) }
        let image = try Image(
            profile, blockSize: 1024, files: files, byteCount: 4 << 20, more: ["-N", "512", "-g", "2048"]
        ) { tree in
            let script = """
                cd "$0" && mkdir c links many full subdirectories
                for i in 1 2 3 4; do ln -s target links/l$i; done
                for i in $(seq 55); do echo $i > many/\(longName(0).dropLast())$i; done
                for i in $(seq 16); do echo $i > full/\(longName(0).dropLast())$i; done
                for i in $(seq 45); do mkdir subdirectories/\(longName(0).dropLast())$i; done
                """
            try Tool.run("sh", ["-c", script, tree])
        }
        // Makes the indexes of the directories that are long enough.
        try Tool.run("e2fsck", ["-fyD", image.path], expect: 0...1)
        #expect(try image.debugfs("htree /many").contains("Root node dump"))
        return try fileBytes(image.path)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let profile: Profile
        let change: Int
        var testDescription: String { "\(profile.name), \(changes[change].name)" }
    }

    /// All on ext2; elsewhere those that meet what only ext4 has: checksums, unused inodes, inline directories.
    static let cases: [Case] = profiles.flatMap { profile in
        changes.indices.filter { profile.name == Profile.ext2.name || [1, 7, 11].contains($0) }.map {
            Case(profile: profile, change: $0)
        }
    }

    @Test(arguments: cases)
    func everyCutIsSound(_ item: Case) throws {
        let (profile, (name, change)) = (item.profile, Self.changes[item.change])
        let before = try Self.volume(profile)
        let device = MemoryDevice(before)
        let volume = try Ext4FileSystem.open(device)
        let transaction = try volume.begin()
        try change(PathEditor(transaction: transaction, root: volume.rootDirectory))
        let prepared = try transaction.prepare()
        #expect(device.events.isEmpty)
        try prepared.commit()
        try Self.sweep(before, device, name, subsets: 1)
    }

    /// Any operations but a directory's move to another.
    @Test(arguments: 1...3)
    func randomMixtures(seed: Int) throws {
        let profile = Self.profiles[seed % 3]
        let before = try Self.volume(profile)
        let device = MemoryDevice(before)
        var model = TreeModel(seed: UInt64(seed), blockSize: 1024)
        model.movesDirectories = false
        let volume = try Ext4FileSystem.open(device)
        let first = try volume.begin()
        for _ in 0..<40 { try model.step(first, volume.rootDirectory) }
        try first.prepare().commit()
        let middle = device.contents
        device.clearEvents()
        let transaction = try volume.begin()
        for _ in 0..<40 { try model.step(transaction, volume.rootDirectory) }
        try transaction.prepare().commit()
        try Self.sweep(middle, device, "\(profile.name), seed \(seed)", subsets: 1)
    }

    /// What was laid out is not written when a later operation is refused.
    @Test func aLateRefusalWritesNothing() throws {
        let device = MemoryDevice(try Self.volume(.ext2))
        let volume = try Ext4FileSystem.open(device)
        let transaction = try volume.begin()
        let edit = PathEditor(transaction: transaction, root: volume.rootDirectory)
        try edit.remove("a/f1")
        try edit.create("a/f1", Self.contents(3000))
        try edit.remove("a/f2")
        let error = try #require(throws: StorageError.self) {
            try edit.create("a/f2", Self.contents(8 << 20))
        }
        #expect(error.code == "no-space")
        #expect(throws: StorageError.self) { try transaction.prepare() }
        #expect(device.events.isEmpty)
    }

    /// A file with blocks of pointers can be cut when there is no block left for new ones.
    @Test func aFullVolumeLetsFilesShrink() throws {
        let device = MemoryDevice(try Self.volume(.ext2))
        let volume = try Ext4FileSystem.open(device)
        func change(_ body: (PathEditor) throws -> Void) throws -> Bool {
            let transaction = try volume.begin()
            do {
                try body(PathEditor(transaction: transaction, root: volume.rootDirectory))
            } catch let error as StorageError where error.code == "no-space" {
                return false
            }
            try transaction.prepare().commit()
            return true
        }
        // Ever smaller files, until not one block is free.
        var count = 0
        for size in [1 << 20, 1 << 16, 1 << 12, 1 << 10] {
            while try change({ try $0.create("c/\(count)", [UInt8](repeating: 1, count: size)) }) {
                count += 1
            }
        }
        #expect(volume.identity.freeByteCount == 0)
        let isCut = try change { try $0.transaction.truncate($0.find("big"), to: 150_000) }
        #expect(isCut)
        let image = try Repaired(device.contents)
        #expect(image.text == "")
    }

    /// Files replaced one after another are one stage: no flush for each.
    @Test func replacedFilesShareAStage() throws {
        let device = MemoryDevice(try Self.volume(.ext2))
        let volume = try Ext4FileSystem.open(device)
        let transaction = try volume.begin()
        let edit = PathEditor(transaction: transaction, root: volume.rootDirectory)
        for index in 1...12 {
            try edit.remove("a/f\(index)")
            try edit.create("a/f\(index)", Self.contents(index * 500))
        }
        try transaction.prepare().commit()
        #expect(device.events.count { $0 == .flush } <= 6)
    }

    /// What the stages hold counts as memory that a change takes.
    @Test func stagesCountAsMemory() throws {
        let image = try Image(.ext2, blockSize: 65536, files: ["file": Self.contents(100)])
        let volume = try Ext4FileSystem.open(FileDevice(image.path, access: .write))
        let transaction = try volume.begin()
        let edit = PathEditor(transaction: transaction, root: volume.rootDirectory)
        var rounds = 0
        while !transaction.shouldBeCommitted, rounds < 1000 {
            try edit.create("new", Self.contents(rounds))
            try edit.rename("new", to: "file")
            rounds += 1
        }
        #expect(rounds > 10 && rounds < 500)
        try transaction.prepare().commit()
        #expect(try image.defects() == "")
        #expect(try image.contents("/file") == Self.contents(rounds - 1))
    }

    static func sweep(_ before: [UInt8], _ device: MemoryDevice, _ name: String, subsets: Int) throws {
        try CrashSweep(initial: before, events: device.events).forEachState(subsets: subsets, seed: 5) {
            state in
            let repaired = try Repaired(state.image)
            let isSound = repaired.isSound
            #expect(isSound, "\(name), \(state.label): \(repaired.text)")
        }
    }
}
