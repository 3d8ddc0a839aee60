internal import Foundation
internal import Partitions
internal import Storage
internal import TestSupport
internal import Testing

/// samples/ext4/util-linux-blkid: blkid's own images with what blkid is expected to say.
@Suite(.enabled(if: SharedSamples.present, "\(SharedSamples.skipMessage)"))
struct SampleSignatureTests {
    static let names: [String] = {
        guard let folder = try? SharedSamples.path("ext4/util-linux-blkid/images-fs") else { return [] }
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return files.map { String($0.dropLast(".img.xz".count)) }.sorted()
    }()

    @Test(arguments: names)
    func matchesExpectation(_ name: String) throws {
        let directory = try TemporaryDirectory()
        let device = try sample("util-linux-blkid/images-fs/\(name).img.xz", in: directory)
        let path = try SharedSamples.path("ext4/util-linux-blkid/expected/low-probe-\(name)")
        var expected: [String: String] = [:]
        for line in try fileBytes(path).text.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { expected[String(parts[0])] = String(parts[1]) }
        }
        let identity = try #require(try probe.candidates(device).first)
        #expect(identity.kind.rawValue == expected["ID_FS_TYPE"])
        // DDF's is no UUID but raw bytes of its header, and the external XFS log's is shown as LOGUUID.
        if name != "ddf-raid" {
            #expect(identity.uuid == expected["ID_FS_UUID"] ?? expected["ID_FS_LOGUUID"])
        }
        let label = expected["ID_FS_LABEL_ENC"].map {
            $0.replacing("\\x20", with: " ").replacing("\\x2f", with: "/")
        }
        #expect(identity.label?.text == label)
        if let version = expected["ID_FS_VERSION"] {
            #expect(identity.version == version.replacing("\\x20", with: " "))
        }
    }
}
