import Ext4
import Foundation
import Storage
import TestSupport
import Testing

/// The check against what e2fsck says of the same images.
@Suite(.enabled(if: SharedSamples.present, "the shared samples are not beside the repository"), .serialized)
struct CheckSampleTests {
    private func names(_ directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: SharedSamples.path(directory)).sorted()
    }

    /// Images that a kernel made and left are sound, and so are those it left with a journal to replay.
    @Test(arguments: ["profiles", "features", "journal"])
    func kernelMadeImagesAreSound(_ family: String) throws {
        var problems: [String] = []
        for name in try names("ext4/kernel-made/\(family)") where name.hasSuffix(".img.zst") {
            let directory = try TemporaryDirectory()
            defer { withExtendedLifetime(directory) {} }
            let path = try SharedSamples.unpack("ext4/kernel-made/\(family)/\(name)", into: directory)
            let report = try Ext4FileSystem.check(FileDevice(path))
            let damage = report.findings.filter { $0.severity == .damage }.map(\.description)
            if !damage.isEmpty { problems.append("\(name): \(damage.prefix(4))") }
            #expect(report.inodeCount > 3)
        }
        #expect(problems == [])
    }

    /// Those of e2fsck's own images that it finds nothing wrong with.
    static let sound: Set<String> = [
        "f_16384_block", "f_8192_block", "f_convert_bmap_sparse", "f_desc_size_128",
        "f_ea_inode_fast_symlink", "f_ea_signed_hash", "f_ea_unsigned_hash", "f_h_normal", "f_h_unsigned",
        "f_selinux", "f_verity",
    ]

    /// e2fsck's own corrupt images: 19 in 20 are flagged, as the transcripts of its runs have it, and those that
    /// it calls clean are not.
    @Test func corruptImagesAreFlagged() throws {
        var flagged: [String] = []
        var missed: [String] = []
        var wrong: [String] = []
        for name in try names("ext4/e2fsprogs-tests") where name.hasPrefix("f_") {
            let folder = "ext4/e2fsprogs-tests/\(name)"
            guard let image = try names(folder).first(where: { $0.hasPrefix("image") }) else { continue }
            let directory = try TemporaryDirectory()
            defer { withExtendedLifetime(directory) {} }
            let path = try SharedSamples.unpack("\(folder)/\(image)", into: directory)
            var text = ""
            var isFlagged = true
            var isSound = false
            do {
                let report = try Ext4FileSystem.check(FileDevice(path))
                isFlagged = !report.findings.isEmpty
                isSound = report.isSound
                text = report.findings.prefix(4).map(\.description).joined(separator: "; ")
            } catch let error as StorageError {
                text = "refused: \(error)"
            }
            if Self.sound.contains(name) {
                if !isSound { wrong.append("\(name): \(text)") }
            } else if isFlagged {
                flagged.append("\(name): \(text)")
            } else {
                missed.append(name)
            }
        }
        if ProcessInfo.processInfo.environment["DISKGRAFT_VERBOSE"] != nil {
            print(flagged.joined(separator: "\n"))
        }
        let share = Double(flagged.count) / Double(flagged.count + missed.count)
        #expect(share >= 0.95, "\(flagged.count) flagged; missed: \(missed)")
        #expect(wrong == [])
        print("check: \(flagged.count) of \(flagged.count + missed.count) flagged; missed: \(missed)")
    }

    /// What e2fsck leaves and would not find itself: a block of attributes that a link with inline data uses, too.
    static let leftOver: Set<String> = ["f_inlinedata_repair"]

    /// What e2fsck has repaired, and then calls clean, reads clean.
    @Test func repairedImagesAreSound() throws {
        var problems: [String] = []
        var count = 0
        for name in try names("ext4/e2fsprogs-tests") where name.hasPrefix("f_") {
            let folder = "ext4/e2fsprogs-tests/\(name)"
            guard let image = try names(folder).first(where: { $0.hasPrefix("image") }),
                !Self.leftOver.contains(name)
            else { continue }
            let directory = try TemporaryDirectory()
            defer { withExtendedLifetime(directory) {} }
            let path = try SharedSamples.unpack("\(folder)/\(image)", into: directory)
            for _ in 0..<2 { try Tool.run("timeout", ["20", "e2fsck", "-fy", path], expect: nil) }
            guard try Tool.run("timeout", ["20", "e2fsck", "-fn", path], expect: nil).status == 0 else {
                continue
            }
            count += 1
            let report = try Ext4FileSystem.check(FileDevice(path))
            if !report.isSound {
                problems.append("\(name): \(report.findings.prefix(3).map(\.description))")
            }
        }
        #expect(problems == [])
        #expect(count > 80)
    }
}
