import Ext4
import Storage
import TestSupport
import Testing

/// What e2fsck -p leaves of one operation on ext2, when the power fails in it and the undo record is gone: the table
/// of docs/ext4-writing.md. Everything that the operation does not name is as it was.
@Suite struct OrderedOutcomeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        /// All that was seen; "old" and "new" are the whole trees.
        let outcomes: Set<String>
        let change: StageTests.Change
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(name: "create", outcomes: ["old", "new"]) { try $0.create("d/new", contents(5000)) },
        Case(name: "mkdir", outcomes: ["old", "new"]) { try $0.makeDirectory("d/new") },
        Case(name: "mknod", outcomes: ["old", "new"]) { try $0.makeNode("d/new", .fifo) },
        Case(name: "symlink, short", outcomes: ["old", "new"]) {
            try $0.makeSymbolicLink("d/new", to: Array("target".utf8))
        },
        Case(name: "symlink, long", outcomes: ["old", "new"]) {
            try $0.makeSymbolicLink("d/new", to: [UInt8](repeating: 0x61, count: 200))
        },
        Case(name: "link", outcomes: ["old", "new"]) { try $0.link("d/file", as: "e/new") },
        Case(name: "remove", outcomes: ["old", "new"]) { try $0.remove("d/file") },
        Case(name: "remove, one of two names", outcomes: ["old", "new"]) { try $0.remove("d/first") },
        Case(name: "rmdir", outcomes: ["old", "new"]) { try $0.remove("d/empty") },
        Case(name: "rename in a block", outcomes: ["old", "new"]) { try $0.rename("d/file", to: "d/new") },
        Case(name: "rename to another directory", outcomes: ["old", "new", "d/file: old, e/new: new"]) {
            try $0.rename("d/file", to: "e/new")
        },
        Case(
            name: "rename over another in a block",
            outcomes: ["old", "new", "d/file: old, d/other: absent"]
        ) { try $0.rename("d/file", to: "d/other") },
        Case(
            name: "rename over another, elsewhere",
            outcomes: ["old", "new", "d/file: old, e/there: absent", "d/file: old, e/there: new"]
        ) { try $0.rename("d/file", to: "e/there") },
        Case(name: "rename of a directory where it is", outcomes: ["old", "new"]) {
            try $0.rename("many/\(StageTests.longName(2))", to: "many/\(StageTests.longName(99))x")
        },
        Case(name: "replace with more", outcomes: ["old", "new", "d/file: mixed"]) {
            try $0.replace("d/file", contents(20_000))
        },
        Case(name: "replace with as much", outcomes: ["old", "new", "d/file: mixed"]) {
            try $0.replace("d/file", contents(4000).reversed())
        },
        Case(name: "replace with less", outcomes: ["old", "new", "d/file: mixed"]) {
            try $0.replace("d/file", contents(1500))
        },
        Case(name: "replace what fits a block", outcomes: ["old", "new", "d/small: mixed"]) {
            try $0.replace("d/small", contents(900))
        },
        Case(name: "write within", outcomes: ["old", "new", "d/file: mixed"]) {
            try $0.transaction.write(contents(2500), to: $0.find("d/file"), at: 700)
        },
        Case(name: "write behind the end", outcomes: ["old", "new"]) {
            try $0.transaction.write(contents(3000), to: $0.find("d/even"), at: 4096)
        },
        Case(name: "truncate, shorter", outcomes: ["old", "new", "d/file: mixed"]) {
            try $0.transaction.truncate($0.find("d/file"), to: 1500)
        },
        Case(name: "truncate, longer", outcomes: ["old", "new"]) {
            try $0.transaction.truncate($0.find("d/file"), to: 30_000)
        },
        Case(name: "punch", outcomes: ["old", "new", "d/file: mixed"]) {
            try $0.transaction.punchHole(in: $0.find("d/file"), 500..<3500)
        },
        Case(name: "chmod, chown", outcomes: ["old", "new"]) {
            try $0.transaction.setAttributes(
                of: $0.find("d/file"), .init(permissions: 0o600, owner: 70_000, group: 5))
        },
        Case(name: "set an attribute", outcomes: ["old", "new"]) {
            try $0.setAttribute("user.new", of: "d/file", contents(100))
        },
        Case(name: "change an attribute", outcomes: ["old", "new"]) {
            try $0.setAttribute("user.there", of: "d/small", contents(300))
        },
        Case(name: "remove an attribute", outcomes: ["old", "new"]) {
            try $0.setAttribute("user.there", of: "d/small", nil)
        },
        Case(name: "label", outcomes: ["old", "new"]) { try $0.transaction.setLabel(Array("cut".utf8)) },
        Case(name: "untar over a file", outcomes: ["old", "new", "d/file: absent"]) {
            try $0.remove("d/file")
            try $0.create("d/file", contents(3000))
        },
        Case(name: "add to a full index", outcomes: ["old", "new"]) {
            try $0.create("many/\(StageTests.longName(98))", contents(10))
        },
    ]

    private static func contents(_ count: Int) -> [UInt8] { ReplaceContentsTests.contents(count) }

    private static func volume() throws -> [UInt8] {
        let files = [
            "d/file": contents(4000), "d/other": contents(3000), "d/small": contents(800),
            "d/even": contents(4096),
            "d/first": contents(1000), "e/there": contents(2000), "f/inside/file": contents(1200),
        ]
        let image = try Image(.ext2, blockSize: 1024, files: files, byteCount: 2 << 20, more: ["-N", "256"]) {
            try Tool.run(
                "sh",
                [
                    "-c",
                    "cd \"$0\" && ln d/first d/second && mkdir d/empty many && for i in $(seq 45); do "
                        + "mkdir many/\(StageTests.longName(0).dropLast())$i; done", $0,
                ])
        }
        _ = try image.debugfs(
            "ea_set /d/small user.there \(String(repeating: "v", count: 200))", writing: true)
        try Tool.run("e2fsck", ["-fyD", image.path], expect: 0...1)
        return try fileBytes(image.path)
    }

    /// What a file is, without times and link counts; directories by kind and mode.
    private struct Description: Equatable {
        var head: String
        var contents: [UInt8] = []
    }

    private static func tree(_ bytes: [UInt8]) throws -> [String: Description] {
        let volume = try Ext4FileSystem.open(MemoryDevice(bytes))
        var result = ["label": Description(head: volume.identity.label?.displayText ?? "")]
        var pending: [(FileID, String)] = [(volume.rootDirectory, "")]
        while let (directory, prefix) = pending.popLast() {
            for entry in try volume.entries(of: directory) {
                let path = prefix + entry.name.displayText
                let attributes = try volume.attributes(of: entry.file)
                let values = try volume.extendedAttributes(of: entry.file).map { "\($0)" }
                var description = Description(
                    head: "\(attributes.mode) \(attributes.owner) \(attributes.group) \(values.sorted())")
                switch attributes.type {
                case .directory: pending.append((entry.file, path + "/"))
                case .regular: description.contents = try volume.contents(of: entry.file)
                case .symbolicLink: description.contents = try volume.symbolicLinkTarget(of: entry.file)
                default: break
                }
                result[path] = description
            }
        }
        return result
    }

    /// "old", "new", or what is left of each path that differs.
    private static func outcome(
        _ found: [String: Description], _ old: [String: Description], _ new: [String: Description]
    ) -> String {
        if found == new { return "new" }
        if found == old { return "old" }
        let paths = Set(found.keys).union(old.keys).union(new.keys).filter {
            old[$0] != new[$0] || found[$0] != old[$0]
        }
        return paths.sorted().map { path in
            let left = found[path]
            if left == old[path], left != nil { return "\(path): old" }
            if left == new[path], left != nil { return "\(path): new" }
            guard let left else { return "\(path): absent" }
            return "\(path): \(isMixed(left, old[path], new[path]) ? "mixed" : "WRONG")"
        }.joined(separator: ", ")
    }

    /// Each block is the old one, the new one, or zeros.
    private static func isMixed(_ found: Description, _ old: Description?, _ new: Description?) -> Bool {
        guard let old, let new, found.head == old.head || found.head == new.head else { return false }
        func block(_ bytes: [UInt8], _ start: Int) -> [UInt8] {
            let part = bytes.dropFirst(start).prefix(1024)
            return part + [UInt8](repeating: 0, count: 1024 - part.count)
        }
        let end = max(old.contents.count, new.contents.count).dividedRoundingUp(by: 1024) * 1024
        return found.contents.count <= end
            && stride(from: 0, to: found.contents.count, by: 1024).allSatisfy { start in
                let left = block(found.contents, start)
                let length = min(1024, found.contents.count - start)
                // A size that was not written yet cuts a new block, or shows what lies behind an old end.
                return [block(old.contents, start), block(new.contents, start), block([], 0)]
                    .contains { $0.prefix(length).elementsEqual(left.prefix(length)) }
            }
    }

    @Test(arguments: cases)
    func whatACutLeaves(_ item: Case) throws {
        let before = try Self.volume()
        let device = MemoryDevice(before)
        let volume = try Ext4FileSystem.open(device)
        let transaction = try volume.begin()
        try item.change(PathEditor(transaction: transaction, root: volume.rootDirectory))
        try transaction.prepare().commit()
        let old = try Self.tree(before)
        let new = try Self.tree(device.contents)
        #expect(old != new)
        var seen: Set<String> = []
        try CrashSweep(initial: before, events: device.events).forEachState(subsets: 3, seed: 3) { state in
            let repaired = try Repaired(state.image)
            let isSound = repaired.isSound
            #expect(isSound, "\(state.label): \(repaired.text)")
            seen.insert(Self.outcome(try Self.tree(repaired.bytes), old, new))
        }
        #expect(seen == item.outcomes)
    }

    /// The one change that needs an answer: while a directory has its old name and its new one, e2fsck -p stops.
    /// e2fsck -y takes one of them away, and the directory is whole under the other.
    @Test func aDirectoryMovedToAnother() throws {
        let before = try Self.volume()
        let device = MemoryDevice(before)
        let volume = try Ext4FileSystem.open(device)
        let transaction = try volume.begin()
        try PathEditor(transaction: transaction, root: volume.rootDirectory).rename(
            "f/inside", to: "e/inside")
        try transaction.prepare().commit()
        let old = try Self.tree(before)
        let new = try Self.tree(device.contents)
        var stops = 0
        try CrashSweep(initial: before, events: device.events).forEachState(subsets: 3, seed: 3) { state in
            if try Repaired(state.image).isSound { return }
            stops += 1
            let directory = try TemporaryDirectory()
            let path = try directory.write("image", state.image)
            try Tool.run("e2fsck", ["-fy", path], expect: 0...1)
            try Tool.run("e2fsck", ["-fn", path])
            let outcome = Self.outcome(try Self.tree(fileBytes(path)), old, new)
            #expect(outcome == "old" || outcome == "new", "\(state.label)")
        }
        #expect(stops > 0)
    }
}
