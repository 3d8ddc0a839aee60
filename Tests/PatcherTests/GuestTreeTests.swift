import GuestTree
import Patcher
import Storage
import TestSupport
import Testing

private let pairs = guestCases.flatMap { item in item.targets.map { (item.tree, $0) } }

/// What a machine with an empty variable store starts: no part of the trees, which hold texts alone.
private let fallback = "/EFI/BOOT/BOOTX64.EFI"

/// Builds the guest of a fixture tree; `bytes` may change each file on its way in.
func fixtureGuest(
    _ tree: String, _ change: (String, [UInt8]) -> [UInt8] = { $1 }
) throws -> (guest: TestGuest, contents: () -> [String: [UInt8]]) {
    var guest = TestGuest()
    var mounts: [(path: String, fileSystem: MemoryFileSystem)] = []
    for item in try #require(guestLayouts[tree]) {
        let fileSystem =
            if let (group, name) = item.logical {
                guest.logicalVolume(group, name, item.kind, uuid: item.uuid)
            } else {
                guest.partition(
                    item.number, item.kind, uuid: item.uuid, label: item.label, disk: item.disk,
                    type: item.type)
            }
        if item.type == "EFI System" { fileSystem.write(fallback, TestProgram.bytes()) }
        if let mount = item.mount { mounts.append((mount, fileSystem)) }
    }
    mounts.sort { $0.path.utf8.count > $1.path.utf8.count }
    for (path, bytes) in try Fixtures.files("\(tree)/tree") {
        for mount in mounts where mount.path == "/" || path.hasPrefix(mount.path + "/") {
            let rest = mount.path == "/" ? path : String(path.dropFirst(mount.path.count))
            mount.fileSystem.write(rest, change(path, bytes))
            break
        }
    }
    for mount in mounts where mount.path != "/" {
        for other in mounts where other.path == "/" || mount.path.hasPrefix(other.path + "/") {
            other.fileSystem.makeDirectory(
                other.path == "/" ? mount.path : String(mount.path.dropFirst(other.path.count)))
            break
        }
    }
    let order = mounts
    return (
        guest,
        {
            var all: [String: [UInt8]] = [:]
            for mount in order {
                for (path, bytes) in mount.fileSystem.files where path != fallback {
                    all[mount.path == "/" ? path : mount.path + path] = bytes
                }
            }
            return all
        }
    )
}

func fixtureTrees() -> [String] { guestCases.map(\.tree) }

@Suite struct GuestTreeTests {
    @Test(arguments: pairs)
    func becomesWhatIsExpected(_ tree: String, _ target: String) throws {
        let (guest, contents) = try fixtureGuest(tree)
        var expected = try Fixtures.files("\(tree)/tree")
        var reports = ""
        for (path, bytes) in try Fixtures.files("\(tree)/\(target)") {
            if path == "/reports.txt" { reports = text(bytes) } else { expected[path] = bytes }
        }
        let plan = try guest.patch(target)
        let found = contents()
        #expect(Set(found.keys) == Set(expected.keys))
        for (path, bytes) in expected.sorted(by: { $0.key < $1.key }) {
            #expect(text(found[path]) == text(bytes), "\(path) of \(tree) on \(target)")
        }
        let output = text(PlanText.text(of: plan, guestTitle: tree))
        for line in reports.split(separator: "\n") {
            #expect(output.contains(line), "\(tree) on \(target) must report “\(line)”:\n\(output)")
        }
    }

    /// patch(1) makes of the old bytes and the diff what the plan says.
    @Test(.enabled(if: Tool.has("patch"), "patch is not installed"), arguments: pairs)
    func diffsCanBeApplied(_ tree: String, _ target: String) throws {
        let (guest, _) = try fixtureGuest(tree)
        let directory = try TemporaryDirectory()
        for edit in try guest.plan(target, fix: [.net, .clock, .xorg, .debconf]).actions.compactMap(\.edit) {
            let file = try directory.write("file", edit.expected)
            let diff = try directory.write("diff", UnifiedDiff.bytes(edit))
            try Tool.run("patch", ["--binary", "-s", file, diff])
            #expect(try fileBytes(file) == edit.contents, "\(edit.file.displayPath) of \(tree)")
        }
    }
}
