import FAT
import Foundation
import Storage
import TestSupport
import Testing

/// Volumes laid out as those in the field, with what another reader found in them.
@Suite(.enabled(if: SharedSamples.present, Comment(rawValue: SharedSamples.skipMessage)))
struct SampleTests {
    static let names = [
        "esp-arch-sdboot-fat32", "esp-debian-fat32-noboot", "esp-rhel9-fat16-boot-fb", "fat12-fragmented-lfn",
        "fat16-dirty",
    ]

    private func sample(_ name: String) throws -> (device: MemoryDevice, expected: [String]) {
        let directory = try TemporaryDirectory()
        let image = try SharedSamples.unpack("fat/\(name).img.xz", into: directory)
        let table = try SharedSamples.unpack("fat/\(name).expect.tsv", into: directory)
        let rows = String(decoding: try fileBytes(table), as: UTF8.self).split(separator: "\n")
        return (
            MemoryDevice(try fileBytes(image)),
            rows.filter { !$0.hasPrefix("#") }.map(String.init).sorted()
        )
    }

    @Test(arguments: names) func isListedAsExpected(_ name: String) throws {
        let (device, expected) = try sample(name)
        let volume = try FATFileSystem.open(device)
        #expect(try Listing.rows(of: volume) == expected)
        #expect(volume.identity.uuid == "1A2B-3C4D")
        #expect(volume.warnings.isEmpty == (name != "fat16-dirty"))
    }

    @Test(arguments: names) func isSound(_ name: String) throws {
        let (device, _) = try sample(name)
        var findings: [Finding] = []
        try FATDriver.check(device) { findings.append($0) }
        #expect(findings.map(\.code) == (name == "fat16-dirty" ? ["dirty"] : []))
        #expect(device.events.isEmpty)
    }

    @Test func isNotWrittenWhileDirty() throws {
        let (device, _) = try sample("fat16-dirty")
        let volume = try FATFileSystem.open(device)
        let error = #expect(throws: StorageError.self) { try volume.begin() }
        #expect(error?.kind == .refused && error?.code == "dirty" && error?.offset == 0x25)
        #expect(device.events.isEmpty)
    }
}

/// A tree as rows: path, letter, size, SHA-256.
enum Listing {
    static func rows(of tree: any FileTree) throws -> [String] {
        var rows: [String] = []
        var pending: [(FileID, String)] = [(tree.rootDirectory, "")]
        let scratch = try TemporaryDirectory()
        var files: [(path: String, size: Int, name: String)] = []
        while let (directory, prefix) = pending.popLast() {
            for entry in try tree.entries(of: directory) {
                let path = prefix + "/" + String(decoding: entry.name, as: UTF8.self)
                if entry.type == .directory {
                    rows.append("\(path)\td\t\t")
                    pending.append((entry.file, path))
                } else {
                    let contents = try tree.contents(of: entry.file)
                    files.append((path, contents.count, try scratch.write("\(files.count)", contents)))
                }
            }
        }
        guard !files.isEmpty else { return rows.sorted() }
        let sums = try Tool.run("sha256sum", files.map(\.name)).text.split(separator: "\n")
        for (file, sum) in zip(files, sums) {
            rows.append("\(file.path)\tf\t\(file.size)\t\(sum.prefix(64))")
        }
        return rows.sorted()
    }
}
