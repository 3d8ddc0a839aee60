import Ext4
import Storage
import TestSupport
import Testing

/// Images of other projects and of features that no kernel has listed for us, against what debugfs copies out.
@Suite(.enabled(if: SharedSamples.present && Tool.has("debugfs"), "samples or debugfs are missing"))
struct DebugfsAgreementTests {
    static let images: [String] = {
        guard let root = try? SharedSamples.path("ext4"),
            let found = try? Tool.run(
                "sh",
                [
                    "-c",
                    "cd \"$0\" && ls ext4-view-rs/* dissect.extfs/* && for i in kernel-made/features/*.img.zst; do [ -e \"${i%.img.zst}.expect.tsv\" ] || echo \"$i\"; done",
                    root,
                ])
        else { return [] }
        return found.text.split(separator: "\n").map(String.init)
    }()

    @Test func thereAreMany() { #expect(Self.images.count >= 10) }

    @Test(arguments: images)
    func listsAsDebugfs(_ name: String) throws {
        let directory = try TemporaryDirectory()
        let image = try SharedSamples.unpack("ext4/\(name)", into: directory)
        // debugfs knows nothing of the journal's newest blocks.
        let judged = directory.path("replayed")
        try Tool.run("cp", ["--sparse=always", image, judged])
        try Tool.run("e2fsck", ["-p", "-E", "journal_only", judged], expect: 0...8)
        let tree = directory.path("tree")
        try Tool.run("mkdir", [tree])
        try Tool.run("debugfs", ["-R", "rdump / \(tree)", judged])
        let found = try Tool.run("find", [tree, "-mindepth", "1", "-printf", "%y %m %s %T@ %P\\0%l\\0"])
            .output
        let fields = found.split(separator: 0, omittingEmptySubsequences: false).map { Array($0) }
        let volume = try Ext4FileSystem.open(FileDevice(image))
        var count = 0
        // Collected: a thousand expectations cost more than the reading.
        var problems: [String] = []
        func require(_ condition: Bool, _ text: String) { if !condition { problems.append(text) } }
        for index in stride(from: 0, to: fields.count - 1, by: 2) {
            let parts = fields[index].split(separator: 32, maxSplits: 4).map { Array($0) }
            let words = parts.map { String(decoding: $0, as: UTF8.self) }
            guard parts.count == 5 else { continue }
            guard let file = try Self.find(parts[4], in: volume) else {
                Issue.record("\(words[4]) is not found")
                continue
            }
            count += 1
            let attributes = try volume.attributes(of: file)
            let mode = UInt16(words[1], radix: 8) ?? 0
            require(attributes.permissions & 0o777 == mode & 0o777 || words[0] == "l", "mode of \(words[4])")
            switch words[0] {
            case "l":
                require(try volume.symbolicLinkTarget(of: file) == fields[index + 1], "target of \(words[4])")
            case "f":
                let seconds = words[3].split(separator: ".").first.map(String.init)
                require(String(attributes.size) == words[2], "size of \(words[4])")
                require(String(attributes.modificationTime.seconds) == seconds, "time of \(words[4])")
                do {
                    let bytes = try volume.contents(of: file, limit: 256 << 20)
                    require(try isSame(bytes, fileBytes("\(tree)/\(words[4])")), "contents of \(words[4])")
                } catch let error as StorageError where error.code == "encrypted" {}
            default: break
            }
        }
        #expect(problems == [])
        #expect(count == (try Self.count(volume)), "debugfs copies \(count)")
    }

    private static func find(_ path: [UInt8], in volume: Ext4FileSystem) throws -> FileID? {
        var current: FileID? = volume.rootDirectory
        for name in path.split(separator: UInt8(ascii: "/")) {
            guard let directory = current else { return nil }
            current = try volume.lookUp(Array(name), in: directory)
        }
        return current
    }

    /// Everything below the root that debugfs copies: it makes no devices, pipes and sockets.
    private static func count(_ volume: Ext4FileSystem) throws -> Int {
        var count = 0
        var pending = [volume.rootDirectory]
        while let directory = pending.popLast() {
            for entry in try volume.entries(of: directory) {
                let type = try volume.attributes(of: entry.file).type
                if type == .directory { pending.append(entry.file) }
                if [.directory, .regular, .symbolicLink].contains(type) { count += 1 }
            }
        }
        return count
    }
}
