import GuestTree
import Patcher
import Storage
import TestSupport
import Testing

/// What must hold whatever a file holds.
@Suite struct PropertyTests {
    private let targets = ["hyperv", "vmware", "xenserver", "kvm", "virtualbox", "azure", "aws", "gcp"]

    private func rootFile(_ guest: TestGuest, _ edit: FileEdit) throws -> MemoryFileSystem {
        try #require(guest.fileSystems[edit.file.volume] as? MemoryFileSystem)
    }

    /// The edits are where the two texts differ, and nowhere else.
    private func check(_ edit: FileEdit) {
        var rebuilt: [UInt8] = []
        var position = 0
        for token in edit.edits {
            #expect(token.range.lowerBound >= position && token.range.upperBound <= edit.expected.count)
            #expect(Array(edit.expected[token.range]) == token.old)
            #expect(token.old != token.new)
            #expect(!token.reason.isEmpty)
            rebuilt += edit.expected[position..<token.range.lowerBound] + token.new
            position = token.range.upperBound
        }
        rebuilt += edit.expected[position...]
        #expect(rebuilt == edit.contents)
    }

    /// Lines that are comments in both worlds: settings in comments ("# kopt=", "#boot=") are none.
    private func comments(_ bytes: [UInt8]) -> [String] {
        text(bytes).split(separator: "\n", omittingEmptySubsequences: false).map(String.init).filter { line in
            let words = line.drop { $0 == " " || $0 == "\t" }
            return words.hasPrefix("#") && !words.contains("kopt=") && !words.hasPrefix("#boot=")
        }
    }

    /// Every comment of `old` is in `new`, in its order.
    private func keepsComments(_ old: [UInt8], _ new: [UInt8]) -> Bool {
        var rest = comments(new)[...]
        for line in comments(old) {
            guard let place = rest.firstIndex(of: line) else { return false }
            rest = rest[(place + 1)...]
        }
        return true
    }

    @Test(arguments: fixtureTrees())
    func everyTargetChangesTokensAlone(_ tree: String) throws {
        for target in targets {
            for names in target == "kvm" ? NamingPolicy.allCases : [.uuid] {
                let (guest, _) = try fixtureGuest(tree)
                let plan = try guest.patch(target, names: names)
                for edit in plan.actions.compactMap(\.edit) {
                    check(edit)
                    // grubenv's padding looks like a comment.
                    guard !edit.file.displayPath.hasSuffix("grubenv") else { continue }
                    #expect(
                        keepsComments(edit.expected, edit.contents),
                        "\(tree) \(target) \(edit.file.displayPath)")
                }
            }
        }
    }

    @Test(arguments: fixtureTrees())
    func carriageReturnsStay(_ tree: String) throws {
        let (plain, plainContents) = try fixtureGuest(tree)
        try plain.patch("kvm")
        let (guest, contents) = try fixtureGuest(tree) { path, bytes in
            path.hasSuffix("grubenv") ? bytes : bytes.flatMap { $0 == 10 ? [13, 10] : [$0] }
        }
        try guest.patch("kvm")
        let expected = plainContents()
        for (path, bytes) in contents() {
            #expect(
                text(bytes.filter { $0 != 13 }) == text(expected[path]),
                "\(path): the same edits with CR LF line ends")
        }
    }

    @Test(arguments: fixtureTrees())
    func aMissingFinalNewlineStaysMissing(_ tree: String) throws {
        let (guest, contents) = try fixtureGuest(tree) { _, bytes in
            bytes.last == 10 ? Array(bytes.dropLast()) : bytes
        }
        let before = contents()
        let plan = try guest.patch("kvm")
        for edit in plan.actions.compactMap(\.edit) { check(edit) }
        for (path, bytes) in contents() where before[path]?.last != 10 {
            #expect(bytes.last != 10, "\(path)")
        }
    }

    @Test(arguments: fixtureTrees())
    func brokenFilesNeverTrap(_ tree: String) throws {
        var random = SeededRandom(UInt64(tree.utf8.count) &* 7919)
        for round in 0..<20 {
            let (guest, _) = try fixtureGuest(tree) { _, bytes in
                var bytes = bytes
                switch round % 4 {
                case 0: bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
                case 1:
                    for _ in 0..<8 where !bytes.isEmpty {
                        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                            in: 0...255, using: &random)
                    }
                case 2:
                    let punctuation = Array("\"'\\ \t\n#={}[]();$|%/\u{0}".utf8)
                    for _ in 0..<20 {
                        let byte = punctuation[Int.random(in: 0..<punctuation.count, using: &random)]
                        bytes.insert(byte, at: Int.random(in: 0...bytes.count, using: &random))
                    }
                default:
                    if bytes.count > 2 {
                        let middle = Int.random(in: 1..<bytes.count, using: &random)
                        bytes = Array(bytes[middle...] + bytes[..<middle])
                    }
                }
                return bytes
            }
            guard try !guest.survey().guests.isEmpty else { continue }
            let target = targets[round % targets.count]
            let plan = try guest.patch(target)
            for edit in plan.actions.compactMap(\.edit) { check(edit) }
            _ = PlanText.text(of: plan, guestTitle: tree)
        }
    }

    /// There and back again: every name still stands for the same volume.
    @Test(arguments: fixtureTrees())
    func roundTripsKeepTheDevices(_ tree: String) throws {
        func resolved(_ plan: Plan) -> [String] {
            // What mdadm looks at is no device any more, but any partition.
            let changing = [LVMDevicesFile.kind, MDConfiguration.kind]
            return plan.references.filter { !changing.contains($0.kind) && $0.use != .loaderDisk }.map {
                "\($0.path) \($0.use.summary): \($0.resolvedName ?? "-")"
            }
        }
        let (guest, _) = try fixtureGuest(tree)
        let before = resolved(try guest.plan("hyperv"))
        try guest.apply(try guest.plan("hyperv"))
        try guest.apply(try guest.plan("vmware"))
        #expect(resolved(try guest.plan("vmware")) == before)
    }

    /// Files larger than any real one cost little.
    @Test func hugeFiles() throws {
        for text in [
            String(repeating: "/dev/sdb1 /x ext4 defaults 0 2\n", count: 12_000),
            String(repeating: "/dev/sdb1 /x ext4 defaults 0 2\n", count: 1900),
            String(repeating: "/dev/sdb1 /x ext4 defaults 0 2\n", count: 60_000),
            String(repeating: "a ", count: 1 << 17),
            String(repeating: "submenu a {", count: 12_000),
            String(repeating: "menuentry a { linux /k root=/dev/sda1 ; initrd /i }\n", count: 1900),
            String(repeating: "\"", count: 1 << 17), String(repeating: "set x=/dev/sda1;", count: 12_000),
        ] {
            var guest = TestGuest()
            let root = guest.partition(1, .ext4, uuid: "11111111-1111-4111-8111-111111111111")
            for path in [
                "/etc/fstab", "/boot/grub/grub.cfg", "/etc/lvm/lvm.conf",
            ] {
                root.write(path, text)
            }
            let plan = try guest.plan("kvm")
            for edit in plan.actions.compactMap(\.edit) { check(edit) }
        }
    }
}
