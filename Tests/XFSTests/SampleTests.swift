import Storage
import TestSupport
import Testing
import XFS

/// Samples that kernels filled, dirty ones among them: each lists as Linux lists it.
@Suite(.enabled(if: SharedSamples.present, "\(SharedSamples.skipMessage)"))
struct SampleTests {
    static let names = [
        "d_rhel10_rmap", "d_rhel9", "d_shutdown", "d_v4", "d_wrap_logv2su", "q_quota", "x_1k_boot",
        "x_dirblk64k_5ag", "x_isize1k_4ksect_logsu", "x_parent_exchange", "x_rhel10_deb13_rmapbt",
        "x_rhel6_v4_noftype", "x_rhel7_v5", "x_rhel8", "x_rhel9_al2023_deb12",
    ]

    @Test(arguments: names) func listsAsLinuxDoes(_ name: String) throws {
        let directory = try TemporaryDirectory()
        let device = try SparseDevice(SharedSamples.unpack("xfs/\(name).img.zst", into: directory))
        let folder = try SharedSamples.path("xfs")
        let plain = "\(folder)/\(name).expect.tsv"
        let expected = try Tool.run(
            "sh", ["-c", "cat \"$0\" 2>/dev/null || zstd -dc \"$0.zst\"", plain])
        let volume = try XFSFileSystem.open(device)
        #expect(volume.warnings.isEmpty != name.hasPrefix("d_"))
        let found = try Listing(volume, in: directory).rows
        let wanted = expected.output.split(separator: 10).map { Array($0) }
        #expect(Set(found) == Set(wanted) && found.count == wanted.count)

        var findings: [Finding] = []
        try XFSDriver.check(device) { findings.append($0) }
        #expect(findings.filter { $0.severity != .note } == [])
        #expect(findings.isEmpty != name.hasPrefix("d_"))
    }
}

/// A tree as the samples' lists have it.
struct Listing {
    private(set) var rows: [[UInt8]] = []

    init(_ tree: any FileTree, in directory: TemporaryDirectory) throws {
        var hashed: [(row: Int, file: String)] = []
        var parts: [(head: [UInt8], tail: [UInt8])] = []
        var pending: [(FileID, [UInt8])] = [(tree.rootDirectory, [])]
        while let (parent, prefix) = pending.popLast() {
            for entry in try tree.entries(of: parent) {
                let attributes = try tree.attributes(of: entry.file)
                let path = prefix + [UInt8(ascii: "/")] + entry.name
                #expect(try tree.lookUp(entry.name, in: parent) == entry.file)
                #expect(entry.type == nil || entry.type == attributes.type)
                var content = Array("-".utf8)
                switch attributes.type {
                case .directory: pending.append((entry.file, path))
                case .regular:
                    let name = "file\(parts.count)"
                    try directory.write(name, try tree.contents(of: entry.file))
                    hashed.append((parts.count, name))
                case .symbolicLink:
                    content = Array("->".utf8) + (try tree.symbolicLinkTarget(of: entry.file))
                case .characterDevice, .blockDevice:
                    let number = try #require(attributes.deviceNumber)
                    content = Array("dev:\(number.major),\(number.minor)".utf8)
                default: break
                }
                let time = attributes.modificationTime
                let size = attributes.type == .directory ? "-" : "\(attributes.size)"
                let nanoseconds = Int128(time.seconds) * 1_000_000_000 + Int128(time.nanoseconds)
                let numbers =
                    "\t0o\(String(attributes.mode, radix: 8))\t\(attributes.owner)\t\(attributes.group)"
                    + "\t\(attributes.linkCount)\t\(size)\t\(nanoseconds)\t"
                let extended = try tree.extendedAttributes(of: entry.file)
                    .map { $0.name + [UInt8(ascii: "=")] + Array($0.value.hexString.utf8) }
                    .sorted { $0.lexicographicallyPrecedes($1) }
                    .joined(separator: [UInt8(ascii: " ")])
                parts.append((path + Array(numbers.utf8), Array("\t".utf8) + extended))
                rows.append(content)
            }
        }
        let sums = try Tool.run(
            "xargs", ["sha256sum"], input: hashed.map { directory.path($0.file) }.joined(separator: "\n"))
        for (index, line) in sums.text.split(separator: "\n").enumerated() {
            rows[hashed[index].row] = Array(line.prefix(64).utf8)
        }
        for index in rows.indices { rows[index] = parts[index].head + rows[index] + parts[index].tail }
    }
}
