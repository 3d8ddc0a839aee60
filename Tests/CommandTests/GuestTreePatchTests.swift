import Foundation
import TestSupport
import Testing

private let fixtures = Fixture.repository + "/Tests/Fixtures/guests"

/// Guests of many ages on real file systems, patched by the command and judged by debugfs and e2fsck: exactly the
/// bytes that were written down, nothing else.
@Suite(
    .enabled(
        if: Tool.has("debugfs", "e2fsck", "sfdisk", "mke2fs", "mkswap", "mkfs.vfat"), "judges are missing"))
struct GuestTreePatchTests {
    private static func expected(_ directory: String) throws -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        for path in try FileManager.default.subpathsOfDirectory(atPath: directory) where path != "reports.txt"
        {
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(directory)/\(path)")
            guard attributes[.type] as? FileAttributeType == .typeRegular else { continue }
            found["/\(path)"] = try fileBytes("\(directory)/\(path)")
        }
        if let fstab = found["/etc/fstab"] { found["/etc/fstab"] = GuestImage.withoutFAT(fstab) }
        return found
    }

    /// What stat shows, without what an edit changes: size, blocks, times, the version that counts changes.
    private static func lasting(_ stat: String) -> String {
        let changing = [
            "Size:", "Blockcount:", "ctime:", "mtime:", "BLOCKS:", "EXTENTS:", "TOTAL:", "(0", "Generation:",
            "Inode checksum",
        ]
        return stat.split(separator: "\n").filter { line in
            !changing.contains { line.contains($0) }
        }.joined(separator: "\n")
    }

    @Test(arguments: guestCases.map(\.tree))
    func exactlyTheseBytes(_ tree: String) throws {
        let targets = try #require(guestCases.first { $0.tree == tree }).targets
        for target in targets {
            let directory = try TemporaryDirectory()
            let image = try GuestImage(tree, fixtures: fixtures, in: directory)
            let before = try image.places.map { try image.contents(of: $0, name: "before") }
            let more = image.disks.dropFirst().flatMap { ["--with", $0] }
            // These images have no FAT volume, thus nothing that a machine with UEFI alone starts; what is changed for
            // one is held by PatcherTests, in memory.
            let hasNoLoader = target == "hyperv-gen2"
            let changed = hasNoLoader ? [:] : try Self.expected("\(fixtures)/\(tree)/\(target)")
            let isRefused = hasNoLoader || ["debian4-xenserver-pv", "debian3-lilo"].contains(tree)
            let result = try Tool.run(
                Fixture.command, ["patch", image.disks[0], "--to", target] + more,
                expect: isRefused ? 2...2 : 0...0)
            for (index, place) in image.places.enumerated() {
                let after = try image.contents(of: place, name: "after")
                let old = before[index]
                #expect(Set(after.files.keys) == Set(old.files.keys))
                for (path, bytes) in old.files {
                    let full = (place.part.mount ?? "/") == "/" ? path : (place.part.mount ?? "") + path
                    let wanted = place.part.mount == nil ? bytes : changed[full] ?? bytes
                    #expect(
                        String(decoding: after.files[path] ?? [], as: UTF8.self)
                            == String(decoding: wanted, as: UTF8.self), "\(full) of \(tree) on \(target)")
                    let one = try #require(old.stat[path])
                    let other = try #require(after.stat[path])
                    if wanted == bytes {
                        #expect(one == other, "\(full) of \(tree) on \(target) must not change in any way")
                    } else {
                        #expect(Self.lasting(one) == Self.lasting(other), "\(full) of \(tree) on \(target)")
                    }
                }
            }
            #expect(result.text.contains("\nmachine: "))
            if !isRefused {
                let again = try Tool.run(
                    Fixture.command, ["patch", image.disks[0], "--to", target] + more)
                #expect(
                    again.text.contains("nothing to do"), "\(tree) on \(target): \(result.text)\(again.text)")
            }
        }
    }
}
