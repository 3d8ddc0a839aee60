import Ext4
import Storage
import TestSupport
import Testing

/// Images that a kernel made, listed as the kernel lists them.
@Suite(.enabled(if: SharedSamples.present, "the shared samples are not beside the repository"))
struct KernelSampleTests {
    /// Every clean image that has an expectation beside it.
    static let clean: [String] = {
        guard let root = try? SharedSamples.path("ext4/kernel-made"),
            let found = try? Tool.run(
                "sh", ["-c", "cd \"$0\" && ls profiles/*.expect.tsv features/*.expect.tsv", root])
        else { return [] }
        return found.text.split(separator: "\n").map { String($0.dropLast(".expect.tsv".count)) }
    }()

    @Test func thereAreMany() { #expect(Self.clean.count >= 19) }

    @Test(arguments: clean)
    func listsAsTheKernel(_ name: String) throws {
        let directory = try TemporaryDirectory()
        let image = try SharedSamples.unpack("ext4/kernel-made/\(name).img.zst", into: directory)
        let volume = try Ext4FileSystem.open(FileDevice(image))
        let listed = try Listing.lines(of: volume)
        let expected = try Listing.expected(SharedSamples.path("ext4/kernel-made/\(name).expect.tsv"))
        #expect(expected.subtracting(listed).map(\.displayText) == [])
        #expect(listed.subtracting(expected).map(\.displayText) == [])
        #expect(volume.warnings == [])
    }
}
